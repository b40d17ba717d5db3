"""What the firmware takes of the board, read from its ELF file (System V ABI, "Program Header")."""

import struct

RAM = 0x2000_0000


def figures(path):
    """The bytes of flash and of static RAM."""
    with open(path, "rb") as file:
        elf = file.read()
    start, size, count = struct.unpack_from("<I", elf, 28) + struct.unpack_from("<HH", elf, 42)
    flash = ram = 0
    for at in range(start, start + size * count, size):
        kind, _, address, _, in_file, in_memory = struct.unpack_from("<6I", elf, at)
        if kind == 1:
            # What RAM holds at the start is in flash as well.
            flash += in_file
            ram += in_memory if address >= RAM else 0
    return flash, ram
