"""Holds what is here to the examples that are part of the documentation.

    examples.py FILE
"""

import io
import sys

import wire
from server import File
from wire import LIST, Request, Response

TAG, MODIFIED = 7, -1700000000123456789
FILES = {
    name: File(data, TAG, MODIFIED)
    for name, data in [
        (b"a", b"alpha"),
        (b"c", bytes(at % 251 for at in range(1030))),
        (b"empty", b""),
    ]
}
WHY = {
    "not found": wire.NOT_FOUND,
    "refused": wire.REFUSED,
    "malformed request": wire.MALFORMED,
    "not supported": wire.NOT_SUPPORTED,
    "the offset is past the end": wire.OUT_OF_RANGE,
}


def examples(text):
    """The title of each example, what the client sends, what the server sends, and the outcomes."""
    for part in text.split("\nexample: ")[1:]:
        title, *lines = part.splitlines()
        said = {">": b"", "<": b""}
        for line in lines:
            if line[:1] in said:
                said[line[0]] += bytes.fromhex(line[1:].split("|")[0])
        yield title, said[">"], said["<"], [line[2:] for line in lines if line[:1] == "="]


def assert_understood(sent, came, outcomes):
    """The client's side, and the server's."""
    sent, came = io.BytesIO(sent), io.BytesIO(came)
    for outcome in outcomes:
        request, begin = Request.receive(sent), came.tell()
        response, *_ = wire.receive(came, request)
        assert response.status == WHY.get(outcome.removeprefix("refused: "), wire.DONE), response
        file = FILES.get(request.name)
        if file and request.operation != LIST:
            response, segments = file.answer(request)
            answer = [bytes(response.answering(request)), *map(b"".join, segments)]
            assert b"".join(answer) == came.getvalue()[begin : came.tell()], request
    assert not sent.read() and not came.read(), "there is more"


def assert_closed(came, why):
    """The answer to what needs no understanding."""
    assert came == bytes(Response(WHY[why], verified=0).answering(b"")), came


def fails(sent, came):
    try:
        assert_understood(sent, came, ["whole"])
    except AssertionError:
        return True
    return False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    count = 0
    for title, sent, came, outcomes in examples(text):
        try:
            if outcomes[0].startswith("server closes: "):
                assert_closed(came, outcomes[0].removeprefix("server closes: "))
            elif outcomes[0].startswith("client fails: "):
                assert fails(sent, came), "it is believed"
            else:
                assert_understood(sent, came, outcomes)
        except AssertionError as error:
            raise AssertionError(title) from error
        count += 1
    print(f"{count} examples hold")


if __name__ == "__main__":
    main()
