"""Serves one file under many names, which tell what is wrong with the answers.

    server.py FILE
"""

import functools
import os
import re
import socket
import sys
import threading
from dataclasses import replace

import wire
from wire import GET, HASHES, Request, Response

TAG = 0x0123456789ABCDEF
TIMEOUT = 20


class File:
    def __init__(self, data, tag, modified):
        self.data, self.tag, self.modified = data, tag, modified

    @functools.lru_cache(maxsize=None)
    def proof(self, start, stop, segment):
        return wire.proof(self.data[start:stop], start, len(self.data), segment)

    def answer(self, request):
        """The right answer: the response, and the segments behind it with their values."""
        size = len(self.data)
        if request.operation not in (GET, HASHES):
            return Response(status=wire.NOT_FOUND, verified=0), []
        start, stop = wire.answered(request, size, self.tag)
        if start > size:
            return Response(status=wire.OUT_OF_RANGE, verified=0), []
        verified = request.flags & wire.VERIFY
        response = Response(wire.DONE, verified, start, stop - start, size, self.tag, self.modified)
        ranges = wire.pieces(start, stop, request.segment)
        segments = [(self.data[at:end], b"") for at, end in ranges]
        if verified or request.operation == HASHES:
            values = self.proof(start, stop, request.segment)
            segments = [(data, value) for (data, _), value in zip(segments, values)]
        if request.operation == HASHES:
            segments = [(b"", value) for _, value in segments]
        return response, segments


def spoil(lie, request, response, segments):
    """What goes out in place of the right answer."""
    if lie == "unverified":
        response, segments = replace(response, verified=0), [(data, b"") for data, _ in segments]
    elif lie == "offset":
        start = request.segment
        response = replace(response, offset=start, length=response.length - start)
        segments = segments[1:]
    elif lie == "short":
        response, segments = replace(response, length=request.segment), segments[:1]
    elif lie == "long":
        response = replace(response, length=response.length + request.segment)
        segments = [*segments, segments[0]]
    elif lie == "untagged":
        response = replace(response, tag=0)
    elif lie == "damaged":
        segments[-1] = (flipped(segments[-1][0], 99), segments[-1][1])
    elif lie == "unproven":
        segments[-1] = (segments[-1][0], flipped(segments[-1][1], 31))
    elif lie == "swapped":
        segments[:2] = segments[1::-1]
    elif lie == "another":
        request = replace(request, name=b"of another name")
    head = bytes(response.answering(request))
    if bit := re.fullmatch("flip-([0-9]+)", lie):
        head = flipped(head, int(bit[1]))
    return b"".join([head, *map(b"".join, segments)])


def flipped(data, at):
    """One bit of the byte `at`, each another."""
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def serve(connection, file, cut):
    """Answers one client until it has no more questions. Where the name says so, the first answer
    breaks off."""
    with connection, connection.makefile("rwb") as stream:
        while request := Request.receive(stream):
            lie = request.name.decode()
            answer = spoil(lie, request, *file.answer(request))
            end = re.fullmatch("cut-([0-9]+)", lie)
            if end and request.operation == GET and lie not in cut:
                cut.add(lie)
                stream.write(answer[: int(end[1])])
                return
            stream.write(answer)
            stream.flush()


def main():
    path, cut = sys.argv[1], set()
    with open(path, "rb") as file:
        file = File(file.read(), TAG, os.stat(path).st_mtime_ns)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}")
    while True:
        connection, _ = listener.accept()
        connection.settimeout(TIMEOUT)
        threading.Thread(target=serve, args=(connection, file, cut), daemon=True).start()


if __name__ == "__main__":
    main()
