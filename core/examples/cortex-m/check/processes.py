"""Programs under observation: every wait has a bound, and none outlives the check."""

import os
import signal
import socket
import subprocess
import threading
import time

# How long anything may take, in seconds: much longer than on any machine that works.
PATIENCE = 30

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run")


# This machine, as the firmware sees it.
HOST = "10.0.2.2"


class Failure(Exception):
    """Something is not as it must be."""


def must(fact, what):
    if not fact:
        raise Failure(what)


class Process:
    """A program, the lines it has printed, and a way to wait for one of them."""

    started = []

    def __init__(self, name, command, environment=None):
        self.name = name
        self.lines = []
        self.changed = threading.Condition()
        # A group of its own, so that what it has started ends with it.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self.readers = [
            threading.Thread(target=self._read, args=(stream, mark), daemon=True)
            for stream, mark in [(self.process.stdout, ""), (self.process.stderr, "! ")]
        ]
        for reader in self.readers:
            reader.start()
        Process.started.append(self)

    def _read(self, stream, mark):
        for line in stream:
            with self.changed:
                self.lines.append(mark + line.decode(errors="replace").rstrip("\n"))
                self.changed.notify_all()

    def say(self, line):
        """Types a line."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, *parts):
        """Waits for a line that has all these parts, and gives it."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                for line in self.lines:
                    if all(part in line for part in parts):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or (self.has_ended() and not self.is_read()):
                    raise Failure(f"{self.name} never printed {' … '.join(parts)}")
                # It is looked at again, since it may end without another line.
                self.changed.wait(min(left, 0.1))

    def has_ended(self):
        return self.process.poll() is not None

    def is_read(self):
        """Whether lines may still come."""
        return any(reader.is_alive() for reader in self.readers)

    def finish(self, code=0):
        """Waits for its end, which must have this code."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            ended = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end") from None
        for reader in self.readers:
            reader.join(PATIENCE)
        if ended != code:
            raise Failure(f"{self.name} ended with {ended}, not with {code}")
        return self

    def stop(self):
        """Ends it, whatever it does."""
        for number in [signal.SIGTERM, signal.SIGKILL]:
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(3)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass

    @classmethod
    def stop_all(cls):
        for process in reversed(cls.started):
            process.stop()

    @classmethod
    def show_all(cls):
        for process in cls.started:
            print(f"--- {process.name}")
            for line in process.lines:
                print(f"    {line}")


class Board:
    """The firmware as a server, for so many clients at once, and where its ports are to be found on this machine."""

    SERVICES = {"datagram": ("udp", 8081), "hello": ("tcp", 8082), "file": ("tcp", 8083), "chat": ("tcp", 8084)}

    def __init__(self, firmware, greeted, downloads, members):
        self.firmware, self.greeted, self.downloads, self.members = firmware, greeted, downloads, members
        # A port that was free may be taken by the time that QEMU asks for it.
        for attempt in range(5):
            self.ports = {name: free_port(kind) for name, (kind, _) in self.SERVICES.items()}
            rules = [
                f"hostfwd={kind}:127.0.0.1:{self.ports[name]}-:{port}"
                for name, (kind, port) in self.SERVICES.items()
            ]
            forward = {"FORWARD": ",".join(rules)}
            self.process = Process(f"firmware (start {attempt + 1})", [RUN, firmware], forward)
            try:
                self.process.wait_for("serving")
                return
            except Failure:
                if not any("host forwarding" in line for line in self.process.lines):
                    raise
        raise Failure("no free ports")

    def address(self, service):
        return f"127.0.0.1:{self.ports[service]}"

    def connect(self, service, patience=PATIENCE):
        """A connection with nothing between it and the check."""
        connection = socket.create_connection(("127.0.0.1", self.ports[service]), patience)
        connection.settimeout(PATIENCE)
        return connection


def free_port(kind):
    with socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_all(connection):
    """What comes until the peer ends its direction."""
    received = bytearray()
    while piece := connection.recv(65536):
        received += piece
    return bytes(received)
