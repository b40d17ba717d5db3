"""Has the firmware talk with the programs of Linux: every conversation, in both directions.

    python3 check FIRMWARE PROGRAMS KEYED KEY

FIRMWARE is its ELF file, PROGRAMS the folder of the programs, KEYED the firmware that was built with the key in the
file KEY. It exits with 0 if all went as it must.
"""

import os
import random
import socket
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import with_key  # noqa: E402
from figures import assert_figures  # noqa: E402
from processes import HOST, PATIENCE, RUN, Board, Failure, Process, must, read_all  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FIRMWARE, PROGRAMS, KEYED, KEY = (os.path.abspath(path) for path in sys.argv[1:])
# Clients at once that the firmware has sockets for (src/memory.rs): greeted, downloads, members.
PLACES, KEYED_PLACES = (4, 4, 7), (2, 2, 4)


def program(name, *arguments):
    return Process(name, [os.path.join(PROGRAMS, name), *arguments])


def server(name, *arguments):
    """A server of Linux, and the port that it listens on."""
    process = program(name, "127.0.0.1:0", *arguments)
    return process, process.wait_for("listening on ").rsplit(":", 1)[1]


def calls(board, role, port, text):
    """The board's firmware as a client of this machine."""
    return Process(f"firmware as {role}", [RUN, board.firmware, role, f"{HOST}:{port}", text])


def noise():
    """The firmware's `noise.bin`, computed once more (src/flash.rs)."""
    state, contents = 0x2545F491, bytearray()
    for _ in range(96 * 1024):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        contents.append(state >> 24)
    return bytes(contents)


def checksum(contents):
    """As the firmware shows it (src/files/flash_store.rs)."""
    value = 0xCBF29CE484222325
    for byte in contents:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


# The firmware serves.


def it_answers_datagrams(board):
    client = program("udp-client", board.address("datagram"), "anybody there?").finish()
    client.wait_for("nice to meet you")
    board.process.wait_for("anybody there?")


def it_greets_many_at_once(board):
    clients = [program("tcp-client", board.address("hello"), f"I am {number}") for number in range(board.greeted)]
    for number, client in enumerate(clients):
        client.finish().wait_for("你好 from a Cortex-M3")
        board.process.wait_for(f"I am {number}")


def it_greets_the_simplest_client(board):
    # One read, one write without a terminator, no half-close.
    with board.connect("hello") as client:
        must(client.recv(1024).decode() == "你好 from a Cortex-M3\n", "the greeting is another")
        client.sendall(b"plain answer")
        must(read_all(client) == b"", "more than a greeting")
    board.process.wait_for("plain answer")


def it_sends_files(board, folder):
    names = ["README.md", "empty", "noise.bin"]
    client = program("file-client", board.address("file"), *names, "-d", folder, "--json").finish()
    for name in names:
        client.wait_for(f'"name":"{name}"', '"verified":true')
    with open(os.path.join(HERE, "..", "README.md"), "rb") as readme:
        contents = {"README.md": readme.read(), "empty": b"", "noise.bin": noise()}
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            must(file.read() == contents[name], f"{name} is not what the firmware has")


def it_lists_and_refuses_files(board):
    listing = program("file-client", board.address("file"), "--list", "--json").finish()
    listing.wait_for('"name":"noise.bin"', f'"size":{96 * 1024}')
    program("file-client", board.address("file"), "none", "-o", "-").finish(1).wait_for("no such file")


def it_sends_plainly_and_from_the_middle(board):
    with board.connect("file") as client:
        client.sendall(b"noise.bin\n")
        must(read_all(client) == noise(), "the plain download differs")
    with board.connect("file") as client:
        # A framed request for what follows byte 90,000, without digests.
        client.sendall(struct.pack(">4sBBHQQ16x", b"\0BW\2", 1, 0, 9, 90_000, 2**63) + b"noise.bin")
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
        must(answer[64:] == noise()[90_000:], "the later part differs")


def it_serves_beside_one_that_lingers(board, folder):
    # It asks for more than the sockets' buffers hold, and reads none of it.
    with board.connect("file") as lingering:
        lingering.sendall(b"noise.bin\n")
        board.process.wait_for("noise.bin")
        paths = [os.path.join(folder, f"copy{number}") for number in range(board.downloads - 1)]
        clients = [
            program("file-client", board.address("file"), "noise.bin", "-o", path) for path in paths
        ]
        for client, path in zip(clients, paths):
            client.finish()
            with open(path, "rb") as file:
                must(file.read() == noise(), "one of several downloads at once differs")
        must(read_all(lingering) == noise(), "the one that lingered got something else")


def it_survives_a_rush(board):
    """More connections than sockets, which all end in a reset; then all is as before."""
    for _ in range(4):
        rush = []
        for service in ["hello", "file", "chat"] * 8:
            try:
                rush.append(board.connect(service, patience=0.05))
            except TimeoutError:
                # QEMU has not taken so many yet, and to wait for that would be no rush.
                pass
        must(len(rush) > board.downloads, "there was no rush")
        for client in rush:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    # A socket is free again as soon as the firmware has heard of the reset.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            it_greets_the_simplest_client(board)
            return
        except (Failure, ConnectionError):
            must(time.monotonic() < deadline, "no socket became free after the rush")


def it_hosts_a_chat(board):
    clients, numbers = [], range(board.members - 1)
    for number in numbers:
        client = program("chat-client", board.address("chat"))
        client.wait_for("* welcome to barewire chat")
        client.say(f"/nick member{number}")
        client.wait_for(f"is now member{number}")
        clients.append(client)
    for number, client in enumerate(clients):
        client.say(f"line of {number}")
    board.process.say("line of the operator")
    for number, client in enumerate(clients):
        for other in set(numbers) - {number}:
            client.wait_for(f"member{other}: line of {other}")
        client.wait_for("server: line of the operator")
    for number in numbers:
        board.process.wait_for(f"member{number}: line of {number}")
    for client in clients:
        client.say("/quit")
        client.finish()
    board.process.wait_for(f"* member{numbers[-1]} left")


def it_turns_away_whom_it_has_no_place_for(board):
    members = []
    for _ in range(board.members):
        members.append(board.connect("chat"))
        must(b"welcome" in members[-1].recv(1024), "a member was not let in")
    with board.connect("chat") as one_more:
        try:
            must(one_more.recv(1024) == b"", "there are more members than places")
        except ConnectionError:
            pass
    for member in members:
        member.close()


# The firmware calls.


def it_asks_by_datagram(board):
    linux, port = server("udp-server", "--reply", "here I am")
    calls(board, "udp-client", port, "are you there?").finish().wait_for("here I am")
    linux.wait_for("are you there?")


def it_answers_a_greeting(board):
    linux, port = server("tcp-server", "--greeting", "who is it?")
    calls(board, "tcp-client", port, "a Cortex-M3, of course").finish().wait_for("who is it?")
    linux.wait_for("a Cortex-M3, of course")


def it_downloads(board, folder):
    contents = random.Random(1).randbytes(3 << 19)  # a segment and a half
    with open(os.path.join(folder, "large.bin"), "wb") as file:
        file.write(contents)
    _, port = server("file-server", folder)
    client = calls(board, "file-client", port, "large.bin").finish()
    client.wait_for(f"{len(contents)} bytes, verified", checksum(contents))
    calls(board, "file-client", port, "none").finish(1).wait_for("NotFound")


def it_chats(board):
    _, port = server("chat-server")
    member = program("chat-client", f"127.0.0.1:{port}")
    member.wait_for("* welcome to barewire chat")
    firmware = calls(board, "chat-client", port, "hello, room")
    member.wait_for("guest2: hello, room")
    member.say("hello, board")
    firmware.finish().wait_for("guest1: hello, board")
    member.wait_for("* guest2 left")


def it_fails_when_nobody_answers(board):
    linux, port = server("tcp-server")
    linux.stop()
    calls(board, "tcp-client", port, "hello?").finish(1).wait_for("Refused")


def attempt(rows):
    """Runs the rows, each a function and its arguments."""
    for row, arguments in rows:
        start = time.monotonic()
        try:
            row(*arguments)
        except (Failure, OSError) as error:
            raise Failure(f"{row.__name__}: {error}") from error
        print(f"ok  {row.__name__}  ({time.monotonic() - start:.1f} s)", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        served, given, sealed = (os.path.join(folder, name) for name in ("served", "given", "sealed"))
        for place in (served, given, sealed):
            os.mkdir(place)
        board = Board(FIRMWARE, *PLACES)
        attempt(
            [
                *conversations(board, served, given),
                (it_greets_the_simplest_client, [board]),
                (it_sends_plainly_and_from_the_middle, [board]),
                (it_serves_beside_one_that_lingers, [board, given]),
                (it_turns_away_whom_it_has_no_place_for, [board]),
                (it_survives_a_rush, [board]),
                (it_fails_when_nobody_answers, [board]),
            ]
        )
        assert_figures("without a key", FIRMWARE, Process.started)
        plain = len(Process.started)
        # From now on the programs have the key, too.
        os.environ["BAREWIRE_KEY_FILE"] = KEY
        board = Board(KEYED, *KEYED_PLACES)
        attempt([*conversations(board, served, sealed), *with_key.rows(board, KEY)])
        assert_figures("with a key", KEYED, Process.started[plain:])


def conversations(board, served, given):
    """All four, both ways, with the programs of Linux."""
    return [
        (it_answers_datagrams, [board]),
        (it_greets_many_at_once, [board]),
        (it_sends_files, [board, given]),
        (it_lists_and_refuses_files, [board]),
        (it_hosts_a_chat, [board]),
        (it_asks_by_datagram, [board]),
        (it_answers_a_greeting, [board]),
        (it_downloads, [board, served]),
        (it_chats, [board]),
    ]


try:
    main()
except Failure as failure:
    Process.show_all()
    sys.exit(f"FAILED  {failure}")
finally:
    Process.stop_all()
