"""BLAKE3, written from its specification: what a file transfer needs of it.

So that Python is quick enough, the compression function works on many inputs at once. A word of
each stands in a lane of 64 bits of one large integer; its upper half catches what an addition or a
shift carries out of it, and is cleared again.
"""

import struct

CHUNK = 1024
BLOCK = 64

CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8

IV = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def lanes(words):
    return int.from_bytes(struct.pack(f"<{len(words)}Q", *words), "little")


def words(wide, count):
    return struct.unpack(f"<{count}Q", wide.to_bytes(8 * count, "little"))


def compress(value, message, count, counters, length, flags):
    """The first eight words of the compression function's output, for `count` inputs."""
    ones = lanes([1] * count)
    mask = 0xFFFFFFFF * ones
    state = [*value, *(word * ones for word in IV[:4])]
    state.append(lanes([counter & 0xFFFFFFFF for counter in counters]))
    state.append(lanes([counter >> 32 for counter in counters]))
    state += [length * ones, flags * ones]

    def mix(a, b, c, d, x, y):
        for word, first, second in ((x, 16, 12), (y, 8, 7)):
            state[a] = state[a] + state[b] + word & mask
            state[d] = rotated(state[d] ^ state[a], first)
            state[c] = state[c] + state[d] & mask
            state[b] = rotated(state[b] ^ state[c], second)

    def rotated(word, by):
        return (word >> by | word << 32 - by) & mask

    for _ in range(7):
        for at, places in enumerate(COLUMNS + DIAGONALS):
            mix(*places, message[2 * at], message[2 * at + 1])
        message = [message[index] for index in PERMUTATION]
    return [state[at] ^ state[at + 8] for at in range(8)]


def unpacked(value, count):
    """The eight words of each lane, as bytes."""
    columns = [words(word, count) for word in value]
    return [struct.pack("<8I", *row) for row in zip(*columns)]


def chunks(data, first, root):
    """The values of chunks of one size, which all of `data` is, numbered from `first` on."""
    size = min(len(data), CHUNK)
    count = len(data) // CHUNK or 1
    value = [word * lanes([1] * count) for word in IV]
    blocks = range(0, size, BLOCK) or [0]
    counters = range(first, first + count)
    for at in blocks:
        length = min(BLOCK, size - at)
        starts = range(at, at + count * CHUNK, CHUNK)
        texts = [data[start : start + length].ljust(BLOCK, b"\0") for start in starts]
        rows = [struct.unpack("<16I", text) for text in texts]
        flags = CHUNK_START * (at == 0) | (CHUNK_END | root) * (at == blocks[-1])
        value = compress(value, [lanes(row) for row in zip(*rows)], count, counters, length, flags)
    return unpacked(value, count)


def parents(values, root):
    """The values one level up, over those of subtrees of one size, of which the last may be smaller:
    the left side of a parent is full, so an odd one out goes up as it is."""
    count = len(values) // 2
    if count == 0:
        return values
    value = [word * lanes([1] * count) for word in IV]
    pairs = [values[2 * at] + values[2 * at + 1] for at in range(count)]
    rows = [struct.unpack("<16I", pair) for pair in pairs]
    message = [lanes(row) for row in zip(*rows)]
    up = unpacked(compress(value, message, count, [0] * count, BLOCK, PARENT | root), count)
    return up + values[2 * count :]


def segments(data, offset, size):
    """The chaining values of the segments of `size` bytes that `data` is cut into, which stands at
    `offset` in its file and is not all of a file that is one segment."""
    full = len(data) // CHUNK * CHUNK
    values = chunks(data[:full], offset // CHUNK, 0) if full else []
    if full < len(data):
        values += chunks(data[full:], (offset + full) // CHUNK, 0)
    while size > CHUNK:
        values, size = parents(values, 0), size // 2
    return values


def digest(data):
    """What `b3sum` prints, as bytes."""
    return chunks(data, 0, ROOT)[0] if len(data) <= CHUNK else root(segments(data, 0, CHUNK))


def root(values):
    """The digest of a file of several segments, from their chaining values."""
    while len(values) > 1:
        values = parents(values, ROOT if len(values) == 2 else 0)
    return values[0]
