"""Asks a file server for all that it has, in every way there is, and judges every answer.

    client.py HOST PORT FOLDER        FOLDER is what the server serves
"""

import os
import socket
import sys
from dataclasses import replace

import blake3
import wire
from wire import HASHES, LIST, Request

TIMEOUT = 20
EXPONENTS = (0, 2, 10)

# A file in more segments than that takes Python too long.
MOST_SEGMENTS = 400


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), TIMEOUT)
        self.stream = self.socket.makefile("rwb")

    def send(self, *requests):
        self.stream.write(b"".join(map(bytes, requests)))
        self.stream.flush()

    def receive(self, request):
        return wire.receive(self.stream, request)

    def ask(self, request):
        """The answer, its contents, and the digests among them."""
        self.send(request)
        return self.receive(request)

    def status(self, **fields):
        return self.ask(Request(**fields))[0].status

    def end(self):
        """Ends in order, and nothing more comes."""
        self.socket.shutdown(socket.SHUT_WR)
        assert self.stream.read() == b""


def assert_file(connection, name, data, modified):
    """Asks for one file in every way."""
    ask, size, digest = connection.ask, len(data), blake3.digest(data)

    whole, found, _ = ask(Request(name, flags=0))
    assert found == data
    assert whole == replace(whole, offset=0, length=size, size=size, modified=modified)

    for exponent in EXPONENTS:
        request = Request(name, exponent=exponent)
        if size > MOST_SEGMENTS * request.segment:
            continue
        response, found, values = ask(request)
        assert found == data and response.tag == whole.tag, response
        assert digest == (blake3.root(values) if len(values) > 1 else [*values, digest][0])

        response, _, hashes = ask(replace(request, operation=HASHES))
        assert hashes == values and (response.length, response.tag) == (size, whole.tag), response

        for start, length in ranges(size, request.segment):
            stop = min(start + length, size)
            part = replace(request, offset=start, length=length)
            response, found, proof = ask(part)
            assert found == data[start:stop], (start, length)
            assert (response.size, response.tag) == (size, whole.tag), response
            first = start // request.segment
            assert proof == values[first : first + len(proof)], (start, length)
            _, _, hashes = ask(replace(part, operation=HASHES, flags=0))
            assert hashes == proof, (start, length)

    for start, length in [(size // 3, size // 3), (size // 2, wire.TO_END), (size, wire.TO_END)]:
        response, found, _ = ask(Request(name, flags=0, offset=start, length=length))
        assert found == data[start : start + length], (start, length)

    assert_versions(connection, name, data, whole)


def ranges(size, segment):
    """Ranges that can be proven."""
    last = size // segment * segment
    yield last, (1 << 64) - 1
    yield last // 2 // segment * segment, size - last // 2 // segment * segment
    if last:
        yield 0, segment
        yield last - segment, segment


def assert_versions(connection, name, data, whole):
    """Of the header alone, and of tags that are held."""
    for flags in (0, wire.VERIFY):
        header = Request(name, flags=flags, length=0)
        response, found, _ = connection.ask(header)
        assert found == b"" and response.length == 0 and response.tag == whole.tag, response
        assert (response.size, response.modified) == (whole.size, whole.modified), response

    # What is held of another version is worth nothing.
    end, other = len(data) // 1024 * 1024, whole.tag ^ 1
    for tag, start in ((whole.tag, end), (other, 0)):
        response, found, _ = connection.ask(Request(name, offset=end, tag=tag, exponent=0))
        assert (found, response.tag) == (data[start:], whole.tag), response
    response, found, _ = connection.ask(Request(name, length=1024, tag=other, exponent=0))
    assert (found, response.tag) == (b"", whole.tag), response


def assert_listed(connection, folder, name):
    """The list of a folder, which is a file like any other."""
    ask = Request(name, operation=LIST)
    lists = {connection.ask(replace(ask, exponent=exponent))[1] for exponent in EXPONENTS}
    assert len(lists) == 1, lists
    lines = [line.split(b"\t") for line in lists.pop().splitlines()]
    found = sorted(os.listdir(os.path.join(folder, name)))
    assert [line[2].rstrip(b"/") for line in lines] == found, lines
    for size, modified, entry in lines:
        status = os.stat(os.path.join(folder, name, entry.rstrip(b"/")))
        if not entry.endswith(b"/"):
            assert int(size) == status.st_size, (size, entry)
        assert int(modified) == status.st_mtime_ns // 10**9, (modified, entry)


def assert_refused(connect, name, size):
    connection = connect()
    for status, fields in [
        (wire.NOT_FOUND, {"name": b"nothing of that name"}),
        (wire.REFUSED, {"name": b"../" + name}),
        (wire.OUT_OF_RANGE, {"name": name, "offset": size // 1024 * 1024 + 1024, "exponent": 0}),
    ]:
        assert connection.status(**fields) == status, fields
    connection.end()
    for status, fields in [
        (wire.MALFORMED, {"offset": 1, "exponent": 0}),
        (wire.MALFORMED, {"length": 1, "exponent": 0}),
        (wire.MALFORMED, {"exponent": 11}),
        (wire.MALFORMED, {"zeros": b"\0\0\0\0\0\0\1"}),
        (wire.MALFORMED, {"operation": HASHES, "offset": 1, "flags": 0}),
        (wire.MALFORMED, {"flags": 2}),
        (wire.NOT_SUPPORTED, {"operation": 9}),
        (wire.NOT_SUPPORTED, {"version": 1}),
        (wire.NOT_SUPPORTED, {"version": 3}),
    ]:
        connection = connect()
        assert connection.status(name=name, **fields) == status, fields
        connection.end()


def main():
    host, port, folder = sys.argv[1], int(sys.argv[2]), os.fsencode(sys.argv[3])
    connection = Connection(host, port)
    files = {}
    for entry in os.scandir(folder):
        if entry.is_file():
            with open(entry.path, "rb") as file:
                files[entry.name] = file.read()
            assert_file(connection, entry.name, files[entry.name], entry.stat().st_mtime_ns)
    assert_listed(connection, folder, b"")

    # All at once, and the end behind them.
    requests = [Request(name, exponent=exponent) for exponent in EXPONENTS for name in files]
    connection.send(*requests)
    for request in requests:
        assert connection.receive(request)[1] == files[request.name], request
    connection.end()

    largest, data = max(files.items(), key=lambda file: len(file[1]))
    assert_refused(lambda: Connection(host, port), largest, len(data))
    print(f"{len(files)} files are as they are")


if __name__ == "__main__":
    main()
