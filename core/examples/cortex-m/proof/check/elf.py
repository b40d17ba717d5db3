"""What the linker put into a program: sections, symbols, and who refers to whom."""

import bisect
import re
import struct
from collections import namedtuple

from names import readable

FLAG_WRITE, FLAG_ALLOC, FLAG_EXECUTE = 1, 2, 4
REL, NOBITS, EXIDX = 9, 8, 0x70000001
FUNCTION = 2

# Relocations of a branch, and those that take an address (ELF for the Arm Architecture, §5.6).
BRANCHES = {10: "R_ARM_THM_CALL", 30: "R_ARM_THM_JUMP24", 51: "R_ARM_THM_JUMP19"}
ADDRESSES = {2: "R_ARM_ABS32", 47: "R_ARM_THM_MOVW_ABS_NC", 48: "R_ARM_THM_MOVT_ABS"}
IGNORED = {0: "R_ARM_NONE", 42: "R_ARM_PREL31"}  # The latter: tables for unwinding.

Section = namedtuple("Section", "name kind flags address offset size link info")
Symbol = namedtuple("Symbol", "name address size kind")


class Program:
    """A linked 32-bit little-endian ARM program, with its relocations (ld --emit-relocs)."""

    def __init__(self, path):
        self.path = path
        self.data = path.read_bytes()
        if self.data[:6] != b"\x7fELF\x01\x01":
            raise SystemExit(f"{path}: not a 32-bit little-endian program")
        self.sections = self._sections()
        symbols = list(self._symbols())
        self.functions = self._functions(symbols)
        self.starts = sorted(self.functions)
        self._code_marks = sorted(
            {(s.address, s.name[1]) for s in symbols if re.match(r"\$[td](\.|$)", s.name)}
        )
        self.calls, self.data_uses, self.taken = self._references(symbols)

    def flash(self):
        """Bytes of code, constants and initial values; not the tables for unwinding, which no
        firmware keeps."""
        kept = (s for s in self.sections if s.flags & FLAG_ALLOC and s.kind not in (NOBITS, EXIDX))
        return sum(s.size for s in kept)

    def ram(self):
        """Bytes of variables."""
        needs = FLAG_ALLOC | FLAG_WRITE
        return sum(s.size for s in self.sections if s.flags & needs == needs)

    def compiler(self):
        """The version of rustc, which it leaves in what it compiles."""
        comments = next(s for s in self.sections if s.name == ".comment")
        text = self.data[comments.offset : comments.offset + comments.size]
        return re.search(rb"rustc version (\S+)", text)[1].decode()

    def function_at(self, address):
        """The first address of the function that holds `address`."""
        at = bisect.bisect_right(self.starts, address) - 1
        return self.starts[at] if at >= 0 else None

    def named(self, name):
        """The address of a function."""
        return next((a for a, names in self.functions.items() if name in map(readable, names)), None)

    def title(self, address):
        """What a function is called."""
        return readable(self.functions[address][0])

    def read(self, address, size):
        """Bytes of a section that is in the file."""
        for s in self.sections:
            inside = s.address <= address and address + size <= s.address + s.size
            if s.flags & FLAG_ALLOC and s.kind != NOBITS and inside:
                start = s.offset + address - s.address
                return self.data[start : start + size]
        return None

    def instructions(self, start):
        """The instructions of a function: where each is, and its one or two halfwords; data between
        them is left out."""
        at, end = start, self._end(start)
        while at < end:
            mark = bisect.bisect_right(self._code_marks, (at, "z")) - 1
            if mark < 0 or self._code_marks[mark][1] != "t":
                following = self._code_marks[mark + 1 : mark + 2]
                at = following[0][0] if following else end
                continue
            (first,) = struct.unpack("<H", self.read(at, 2))
            if first >> 11 in (0b11101, 0b11110, 0b11111):
                yield at, first, struct.unpack("<H", self.read(at + 2, 2))[0]
                at += 4
            else:
                yield at, first, None
                at += 2

    def _end(self, start):
        at = bisect.bisect_right(self.starts, start)
        section = next(s for s in self.sections if s.address <= start < s.address + s.size)
        end = section.address + section.size
        return min(end, self.starts[at]) if at < len(self.starts) else end

    def _sections(self):
        (table,) = struct.unpack_from("<I", self.data, 32)
        size, count, names = struct.unpack_from("<HHH", self.data, 46)
        raw = [struct.unpack_from("<10I", self.data, table + size * i) for i in range(count)]
        base = raw[names][4]
        return [
            Section(self._string(base + r[0]), r[1], r[2], r[3], r[4], r[5], r[6], r[7])
            for r in raw
        ]

    def _string(self, at):
        return self.data[at : self.data.index(b"\0", at)].decode()

    def _symbols(self):
        table = next(s for s in self.sections if s.name == ".symtab")
        strings = self.sections[table.link].offset
        for at in range(table.offset, table.offset + table.size, 16):
            name, value, size, info = struct.unpack_from("<IIIB", self.data, at)
            kind = info & 15
            # The lowest bit of a function's address says that it is Thumb code.
            address = value & ~1 if kind == FUNCTION else value
            yield Symbol(self._string(strings + name), address, size, kind)

    def _functions(self, symbols):
        functions = {}
        for s in symbols:
            if s.kind == FUNCTION:
                functions.setdefault(s.address, []).append(s.name)
        return functions

    def _references(self, symbols):
        """Who calls whom; which data each function uses; and whose address is taken."""
        calls = {start: set() for start in self.functions}
        uses = {start: set() for start in self.functions}
        taken = set()
        for section in self.sections:
            if section.kind != REL or not self.sections[section.info].flags & FLAG_ALLOC:
                continue
            is_code = self.sections[section.info].flags & FLAG_EXECUTE
            for at in range(section.offset, section.offset + section.size, 8):
                place, info = struct.unpack_from("<II", self.data, at)
                kind, symbol = info & 0xFF, symbols[info >> 8]
                user = self.function_at(place) if is_code else None
                if kind in BRANCHES:
                    if symbol.kind != FUNCTION:
                        raise SystemExit(f"{self.path}: a branch to {symbol.name!r}, no function")
                    calls[user].add(symbol.address)
                elif kind in ADDRESSES:
                    if symbol.kind == FUNCTION:
                        taken.add(symbol.address)
                    elif user is not None:
                        uses[user].add((place, kind))
                elif kind not in IGNORED:
                    raise SystemExit(f"{self.path}: relocation of unknown type {kind}")
        # Of a call to itself the assembler knows the distance, so there is nothing to relocate.
        for start in self.functions:
            for at, first, second in self.instructions(start):
                if second is not None and first >> 11 == 0b11110 and second & 0xD000 == 0xD000:
                    target = at + 4 + _distance(first, second)
                    if target not in self.functions:
                        raise SystemExit(f"{self.path}: a call to {target:#x}, no function")
                    calls[start].add(target)
        return calls, uses, taken

    def constants_of(self, start):
        """The addresses of data that a function uses."""
        low = {}
        for place, kind in sorted(self.data_uses[start]):
            if ADDRESSES[kind] == "R_ARM_ABS32":
                yield struct.unpack("<I", self.read(place, 4))[0]
                continue
            # MOVW and MOVT hold half an address each, in four pieces (ARMv7-M, A7.7.76, A7.7.79).
            first, second = struct.unpack("<HH", self.read(place, 4))
            half = (first & 15) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 255
            register = second >> 8 & 15
            if ADDRESSES[kind] == "R_ARM_THM_MOVW_ABS_NC":
                low[register] = half
            elif register in low:
                yield half << 16 | low[register]


def _distance(first, second):
    """How far BL goes (ARMv7-M Architecture Reference Manual, A7.7.18)."""
    sign = first >> 10 & 1
    upper = sign << 2 | (second >> 13 & 1 ^ sign ^ 1) << 1 | second >> 11 & 1 ^ sign ^ 1
    return ((upper << 21 | (first & 0x3FF) << 11 | second & 0x7FF) << 1) - (sign << 25)
