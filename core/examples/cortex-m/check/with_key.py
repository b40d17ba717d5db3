"""The firmware with a key: boards with each other, another implementation of the keyed form, and whoever has no key."""

import os
import socket
import sys

from processes import HOST, RUN, Failure, Process, free_port, must, read_all

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../../../tests/independent"))

from keyed import BASE, Handshake, datagram, x25519  # noqa: E402


def rows(board, key_file):
    """What is to be tried besides what holds without a key as well."""
    with open(key_file, "rb") as file:
        key = file.read()

    def call(role, service, text):
        """Another board, which has the key too, calls this one."""
        where = {"FORWARD": f"hostfwd=tcp:127.0.0.1:{free_port('tcp')}-:9"}
        command = [RUN, board.firmware, role, f"{HOST}:{board.ports[service]}", text]
        return Process(f"board with a key as {role}", command, where)

    return [
        (boards_exchange_datagrams, [board, call]),
        (boards_greet_each_other, [board, call]),
        (a_board_downloads_from_another, [board, call]),
        (boards_chat, [board, call]),
        (another_implementation_is_greeted, [board, key]),
        (another_key_is_refused, [board, key]),
        (who_has_no_key_hears_nothing, [board, key]),
    ]


def boards_exchange_datagrams(board, call):
    call("udp-client", "datagram", "is a board there?").finish().wait_for("nice to meet you")
    board.process.wait_for("is a board there?")


def boards_greet_each_other(board, call):
    call("tcp-client", "hello", "one as you").finish().wait_for("你好 from a Cortex-M3")
    board.process.wait_for("one as you")


def a_board_downloads_from_another(board, call):
    call("file-client", "file", "noise.bin").finish().wait_for(f"{96 << 10} bytes, verified")


def boards_chat(board, call):
    client = call("chat-client", "chat", "hello, neighbour")
    board.process.wait_for(": hello, neighbour")
    board.process.say("hello, board")
    client.finish().wait_for("server: hello, board")


def opened(connection, key):
    """The handshake as a client of the hello handshake; gives what seals and what opens."""
    opening, secret = b"\x01BW\x01\x02\x00", os.urandom(32)
    ours = Handshake(key, opening)
    public = x25519(secret, BASE)
    ours.e(public)
    connection.sendall(opening + public + ours.seal(b""))
    answer = exactly(connection, 50)
    ours.e(answer[1:33])
    ours.ee(x25519(secret, answer[1:33]))
    ours.open(answer[33:])
    return ours.split()


def exactly(connection, count):
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        must(piece, f"the board closed after {received!r}")
        received += piece
    return received


def another_implementation_is_greeted(board, key):
    with board.connect("hello") as connection:
        seals, opens = opened(connection, key)
        connection.sendall(seals.record(b""))
        length = int.from_bytes(exactly(connection, 2), "big")
        greeting = opens.open(exactly(connection, length))
        must(greeting == b"\0" + "你好 from a Cortex-M3\n".encode(), f"the greeting is {greeting!r}")
        connection.sendall(seals.record(b"written in Python\n") + seals.record(b"", b"\x01"))
        board.process.wait_for("written in Python")


def another_key_is_refused(board, key):
    with board.connect("hello") as connection:
        try:
            opened(connection, bytes(32))
        except (Failure, ConnectionError):
            pass
        else:
            raise Failure("it answers to another key")
    board.process.wait_for("WrongKey")


def who_has_no_key_hears_nothing(board, key):
    for service in ["hello", "file", "chat"]:
        with board.connect(service) as connection:
            connection.sendall(b"h")
            try:
                must(read_all(connection) == b"", "it says something")
            except ConnectionError:
                pass
    board.process.wait_for("NotKeyed")
    with socket.socket(type=socket.SOCK_DGRAM) as asker:
        asker.settimeout(10)
        where, nonce = ("127.0.0.1", board.ports["datagram"]), os.urandom(24)
        asker.sendto(b"anybody there?", where)
        asker.sendto(datagram(key, 0, nonce, b"with the key"), where)
        # It answers in order.
        reply = asker.recv(2048)
        must(reply[:2] == b"\1\1", f"it says {reply!r}")
