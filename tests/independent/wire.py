"""The framed form of a file transfer, version 2, written from its documentation."""

import struct
from dataclasses import dataclass, replace

import blake3

REQUEST = struct.Struct(">B2sBBBHQQQB7s")
RESPONSE = struct.Struct(">B2sBBBHQQQQq16s")
CHECKED = RESPONSE.size - 16
DIGEST = 32

GET, LIST, HASHES = 1, 2, 3
VERIFY = 1
# From this length on all is wanted up to the end.
TO_END = 1 << 62
DONE, NOT_FOUND, REFUSED, MALFORMED, NOT_SUPPORTED, BUSY, UNREADABLE, OUT_OF_RANGE = range(8)


def segment_bytes(exponent):
    return 1024 << exponent


def pieces(start, end, segment):
    """The ranges that `start..end` is cut into, at every multiple of `segment`."""
    while start < end:
        stop = min(end, (start // segment + 1) * segment)
        yield start, stop
        start = stop


@dataclass(frozen=True)
class Request:
    name: bytes
    operation: int = GET
    flags: int = VERIFY
    offset: int = 0
    length: int = TO_END
    tag: int = 0
    exponent: int = 10
    version: int = 2
    zeros: bytes = bytes(7)

    def __bytes__(self):
        head = REQUEST.pack(
            0, b"BW", self.version, self.operation, self.flags, len(self.name),
            self.offset, self.length, self.tag, self.exponent, self.zeros,
        )  # fmt: skip
        return head + self.name

    @property
    def segment(self):
        return segment_bytes(self.exponent)

    @classmethod
    def receive(cls, stream):
        """The next request; nothing at the end, or where the plain form is spoken."""
        first = stream.read(1)
        if first != b"\0":
            return None
        head = first + exactly(stream, REQUEST.size - 1)
        (_, magic, version, operation, flags, length, offset, wanted, tag, exponent, zeros) = (
            REQUEST.unpack(head)
        )
        assert magic == b"BW" and version == 2, head
        assert zeros == bytes(7) and exponent <= 10, head
        name = exactly(stream, length)
        return cls(name, operation, flags, offset, wanted, tag, exponent)


@dataclass(frozen=True)
class Response:
    status: int = DONE
    verified: int = VERIFY
    offset: int = 0
    length: int = 0
    size: int = 0
    tag: int = 0
    modified: int = 0
    check: bytes = b""

    def head(self):
        return RESPONSE.pack(
            0, b"BW", 2, self.status, self.verified, 0,
            self.offset, self.length, self.size, self.tag, self.modified, bytes(16),
        )[:CHECKED]  # fmt: skip

    def answering(self, request):
        """The same, with the check that makes it the answer to `request`."""
        return replace(self, check=check(self.status, bytes(request), self.head()))

    def __bytes__(self):
        return self.head() + self.check

    @classmethod
    def receive(cls, stream, request):
        """The answer to `request`, with all that is fixed in it judged."""
        data = exactly(stream, RESPONSE.size)
        (marker, magic, version, status, flags, zero, offset, length, size, tag, modified, found) = (
            RESPONSE.unpack(data)
        )
        assert (marker, magic, version, zero) == (0, b"BW", 2, 0), data
        assert flags & ~VERIFY == 0, data
        assert found == check(status, bytes(request), data[:CHECKED]), data
        if status != DONE:
            assert data[5:CHECKED] == bytes(CHECKED - 5), data
        else:
            assert tag != 0, data
            assert offset + length <= size, data
        return cls(status, flags, offset, length, size, tag, modified, found)


def check(status, request, head):
    # Whoever could not read the request cannot vouch for it.
    subject = b"" if status in (MALFORMED, NOT_SUPPORTED) else request
    return blake3.digest(subject + head)[:16]


def exactly(stream, count):
    data = stream.read(count)
    assert len(data) == count, f"the stream ended after {len(data)} of {count} bytes"
    return data


def contents(stream, request, response):
    """The contents behind a good response, and the chaining values that came with them, which are
    those of its segments."""
    if not response.verified:
        return exactly(stream, response.length), []
    segments, values = [], []
    for start, stop in pieces(response.offset, response.offset + response.length, request.segment):
        segments.append(exactly(stream, stop - start))
        values.append(exactly(stream, DIGEST))
    found = b"".join(segments)
    assert values == proof(found, response.offset, response.size, request.segment)
    return found, values


def proof(data, offset, size, segment):
    """The chaining values of the segments of `data`, which stands at `offset` in a file of `size`
    bytes; that of a file which is one segment is its digest."""
    if 0 < len(data) == size <= segment:
        return [blake3.digest(data)]
    return blake3.segments(data, offset, segment)
