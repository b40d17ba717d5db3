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
        fields = REQUEST.unpack(head)
        _, magic, version, operation, flags, length, offset, wanted, tag, exponent, zeros = fields
        assert (magic, version, zeros) == (b"BW", 2, bytes(7)) and exponent <= 10, head
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
        marker, magic, version, status, flags, zero, *fields, found = RESPONSE.unpack(data)
        response = cls(status, flags, *fields, found)
        assert (marker, magic, version, zero) == (0, b"BW", 2, 0), data
        assert status <= OUT_OF_RANGE and flags & ~VERIFY == 0, data
        assert found == check(status, bytes(request), data[:CHECKED]), data
        if status == DONE:
            assert response.tag != 0, data
        else:
            assert data[5:CHECKED] == bytes(CHECKED - 5), data
        return response


def check(status, request, head):
    # Whoever could not read the request cannot vouch for it.
    subject = b"" if status in (MALFORMED, NOT_SUPPORTED) else request
    return blake3.digest(subject + head)[:16]


def exactly(stream, count):
    data = stream.read(count)
    assert len(data) == count, f"the stream ended after {len(data)} of {count} bytes"
    return data


def answered(request, size, tag):
    """The range that is sent of a file of so many bytes."""
    if request.tag not in (0, tag):
        # What is held is of another version.
        return 0, size if request.length >= TO_END else 0
    return request.offset, min(request.offset + request.length, size)


def receive(stream, request):
    """The answer to `request`, with its contents and the digests among them, all of it judged."""
    response = Response.receive(stream, request)
    if response.status != DONE:
        return response, b"", []
    start, stop = answered(request, response.size, response.tag)
    assert start <= stop, response
    assert (response.offset, response.length) == (start, stop - start), response
    assert response.verified == request.flags, response
    ranges = list(pieces(start, stop, request.segment))
    if request.operation == HASHES:
        return response, b"", [exactly(stream, DIGEST) for _ in ranges]
    if not response.verified:
        return response, exactly(stream, response.length), []
    segments, digests = [], []
    for at, end in ranges:
        segments.append(exactly(stream, end - at))
        digests.append(exactly(stream, DIGEST))
    found = b"".join(segments)
    assert digests == proof(found, start, response.size, request.segment), response
    return response, found, digests


def proof(data, offset, size, segment):
    """The digests of the segments of `data`, which stands at `offset` in a file of `size` bytes."""
    if 0 < len(data) == size <= segment:
        return [blake3.digest(data)]
    return blake3.segments(data, offset, segment)
