"""The keyed form, written from its documentation (core/src/secure.rs) with nothing but Python's own
library, for tests: slow, and not of constant time.

    keyed.py            prints the examples that core/src/secure/tests/vectors.txt holds
    keyed.py FILE       holds what is here to them
"""

import hashlib
import hmac
import sys

P = 2**255 - 19
BASE = (9).to_bytes(32, "little")
NAME = b"Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s"
REKEY_AFTER = 1 << 16
DATA, END = b"\x00", b"\x01"


def x25519(secret, public):
    """RFC 7748, §5."""
    k = int.from_bytes(secret, "little") & ~(7 | 1 << 255) | 1 << 254
    x1 = int.from_bytes(public, "little") & ~(1 << 255)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def rounds(state):
    """The 20 rounds of ChaCha (RFC 8439, §2.3)."""
    state = list(state)

    def quarter(a, b, c, d):
        for first, second, third, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[first] = state[first] + state[second] & 0xFFFFFFFF
            value = state[third] ^ state[first]
            state[third] = (value << by | value >> 32 - by) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            turned = [4 * row + (column + row) % 4 for row in range(4)]
            quarter(*turned)
    return state


def words(data):
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def packed(numbers):
    return b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)


def stream(key, nonce, start, length):
    out = b""
    for counter in range(start, start + -(-length // 64)):
        state = words(b"expand 32-byte k") + words(key) + [counter] + words(nonce)
        out += packed(a + b for a, b in zip(rounds(state), state))
    return out[:length]


def tag_of(key, nonce, with_, sealed):
    """RFC 8439, §2.5 and §2.8."""
    once = stream(key, nonce, 0, 32)
    r = int.from_bytes(once[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    lengths = len(with_).to_bytes(8, "little") + len(sealed).to_bytes(8, "little")
    data = with_ + bytes(-len(with_) % 16) + sealed + bytes(-len(sealed) % 16) + lengths
    sum_ = 0
    for at in range(0, len(data), 16):
        sum_ = (sum_ + int.from_bytes(data[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return (sum_ + int.from_bytes(once[16:], "little") & 2**128 - 1).to_bytes(16, "little")


def seal(key, nonce, with_, plain):
    sealed = bytes(a ^ b for a, b in zip(plain, stream(key, nonce, 1, len(plain))))
    return sealed + tag_of(key, nonce, with_, sealed)


def opened(key, nonce, with_, sealed):
    sealed, tag = sealed[:-16], sealed[-16:]
    if not hmac.compare_digest(tag, tag_of(key, nonce, with_, sealed)):
        raise ValueError("not authentic")
    return bytes(a ^ b for a, b in zip(sealed, stream(key, nonce, 1, len(sealed))))


def long(key, nonce):
    """What XChaCha20 makes of a key and a nonce of 24 bytes (draft-irtf-cfrg-xchacha-03, §2.2)."""
    state = rounds(words(b"expand 32-byte k") + words(key) + words(nonce[:16]))
    return packed(state[:4] + state[12:]), bytes(4) + nonce[16:]


def digest(data):
    return hashlib.blake2s(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.blake2s).digest()


class Direction:
    """The key of a direction, and the number of its next message."""

    def __init__(self, key):
        self.key, self.number = key, 0

    def _next(self):
        nonce = bytes(4) + self.number.to_bytes(8, "little")
        self.number += 1
        return nonce

    def _rekey(self):
        if self.number % REKEY_AFTER == 0:
            self.key = seal(self.key, bytes(4) + b"\xff" * 8, b"", bytes(32))[:32]

    def seal(self, plain, with_=b""):
        sealed = seal(self.key, self._next(), with_, plain)
        self._rekey()
        return sealed

    def open(self, sealed, with_=b""):
        plain = opened(self.key, self._next(), with_, sealed)
        self._rekey()
        return plain

    def record(self, data, kind=DATA):
        sealed = self.seal(kind + data)
        return len(sealed).to_bytes(2, "big") + sealed


class Handshake:
    """A side of the handshake."""

    def __init__(self, key, prologue):
        self.chaining_key = self.hash = digest(NAME)
        self._mix_hash(prologue)
        self.chaining_key, mixed, cipher_key = self._derive(key)
        self._mix_hash(mixed)
        self.cipher = Direction(cipher_key)

    def _derive(self, material):
        key = mac(self.chaining_key, material)
        first = mac(key, b"\x01")
        second = mac(key, first + b"\x02")
        return first, second, mac(key, second + b"\x03")

    def _mix_hash(self, data):
        self.hash = digest(self.hash + data)

    def _mix_key(self, material):
        self.chaining_key, key, _ = self._derive(material)
        self.cipher = Direction(key)

    def e(self, public):
        self._mix_hash(public)
        self._mix_key(public)

    def ee(self, shared):
        self._mix_key(shared)

    def seal(self, payload):
        sealed = self.cipher.seal(payload, self.hash)
        self._mix_hash(sealed)
        return sealed

    def open(self, sealed):
        payload = self.cipher.open(sealed, self.hash)
        self._mix_hash(sealed)
        return payload

    def split(self):
        """The client's direction, and the server's."""
        first, second, _ = self._derive(b"")
        return Direction(first), Direction(second)


def datagram_key(key):
    return mac(key, b"barewire datagrams 1")


def datagram(key, direction, nonce, plain):
    header = bytes((1, direction))
    return header + nonce + seal(*long(datagram_key(key), nonce), header, plain)


def examples():
    key, client, server = (bytes(range(start, start + 32)) for start in (0x00, 0x20, 0x40))
    yield "a conversation of chat under the key 00 01 02 … 1f; the secrets are 20 21 … 3f and 40 41 … 5f"
    opening = b"\x01BW\x01\x04\x00"
    ours = Handshake(key, opening)
    public = x25519(client, BASE)
    ours.e(public)
    yield ">", opening, "marker; BW; version 1; chat; records of 1 KiB at most"
    yield ">", public, "the client's ephemeral key"
    yield ">", ours.seal(b""), "the tag of nothing"
    answer = x25519(server, BASE)
    ours.e(answer)
    ours.ee(x25519(server, public))
    yield "<", b"\x01", "marker"
    yield "<", answer, "the server's ephemeral key"
    yield "<", ours.seal(b"\x01"), "sealed: records of 2 KiB at most"
    to_server, to_client = ours.split()
    yield ">", to_server.record(b""), "the first record, at once: there is nothing to say yet"
    yield "<", to_client.record(b"* welcome, guest1\n"), "a record: `* welcome, guest1` and a line feed"
    yield ">", to_server.record(b"good "), "a record: `good `"
    yield ">", to_server.record(b"morning\n"), "a record: `morning` and a line feed"
    yield ">", to_server.record(b"", END), "the end"
    yield "<", to_client.record(b"guest1: good morning\n"), "a record: `guest1: good morning` and a line feed"
    yield "<", to_client.record(b"", END), "the end"
    yield "the records 65535 and 65536 under the key 05 05 … 05: the last before another key, and the first after"
    cipher = Direction(b"\x05" * 32)
    cipher.number = REKEY_AFTER - 1
    yield ">", cipher.record(b"before"), "a record: `before`"
    yield ">", cipher.record(b"after"), "a record: `after`"
    yield "a datagram and its reply, under the key 00 01 02 … 1f; the nonces are 20 21 … 37 and 40 41 … 57"
    yield ">", datagram(key, 0, client[:24], b"ping"), "`ping`"
    yield "<", datagram(key, 1, server[:24], client[:24] + b"pong"), "`pong`"


def shown():
    """The examples as they stand in the file."""
    for line in examples():
        if isinstance(line, str):
            yield f"\nexample: {line}"
        else:
            kind, data, words_ = line
            yield f"{kind} {data.hex()} | {words_}"


def main():
    own = "\n".join(shown())
    if len(sys.argv) < 2:
        print(own)
        return
    with open(sys.argv[1], encoding="utf-8") as file:
        documented = file.read()
    if not documented.endswith(own + "\n"):
        raise SystemExit(f"{sys.argv[1]} does not hold:\n{own}")
    print(f"{own.count('example: ')} examples hold")


if __name__ == "__main__":
    main()
