"""What the firmware takes of the board, and whether its README says so.

Flash and static RAM are read from the ELF file (System V ABI, "Program Header"), the stack from the log.
"""

import os
import re
import struct
import subprocess

from processes import must

RAM = 0x2000_0000
HERE = os.path.dirname(os.path.abspath(__file__))


def memory(path):
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


def deepest_stack(processes):
    """The deepest that any of the runs has logged, and how deep it may be."""
    lines = [line for process in processes for line in process.lines if "stack: " in line]
    words = [line.split("stack: ")[1].split() for line in lines]
    return max((int(used), int(size)) for used, _, size, _ in words)


def documented(name):
    """The row of the README's table, in KiB."""
    with open(os.path.join(HERE, "..", "README.md"), encoding="utf-8") as file:
        row = re.search(rf"^\| {name} \|(.*)\|$", file.read(), re.MULTILINE)
    must(row, f"README.md has no figures of the firmware {name}")
    return [int(cell.split()[0]) for cell in row[1].split("|")]


def assert_figures(name, firmware, processes):
    """Tells the figures. With the compiler that the README's are of, they are no more than that says."""
    figures = (*memory(firmware), *deepest_stack(processes))
    flash, ram, used, size = figures
    print(
        f"{name}, the firmware takes {flash:,} bytes of flash ({96 << 10:,} of them a file), "
        f"{ram:,} of static RAM, and has used {used:,} of {size:,} of stack"
    )
    with open(os.path.join(HERE, "../proof/ceilings.txt"), encoding="utf-8") as file:
        compiler = re.search("^rustc (.*)$", file.read(), re.MULTILINE)[1]
    if f"rustc {compiler} " in subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout:
        for measured, most in zip((flash, ram, used), documented(name)):
            must(measured <= most << 10, f"{name}: {measured:,} bytes are more than the {most} KiB of README.md")
