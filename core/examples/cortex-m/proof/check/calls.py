"""Who calls whom: the ways to a panic, and how deep the stack becomes."""

from collections import deque, namedtuple

Depth = namedtuple("Depth", "bytes path largest recursions")


Way = namedtuple("Way", "functions places")


def ways_to(program, goal, entry):
    """The ways to a panic: for each function of ours that leads there, the shortest chain of calls
    from the entry to it, and the places in the source that are named on from there."""
    callers = {}
    for caller, callees in program.calls.items():
        for callee in callees:
            callers.setdefault(callee, set()).add(caller)
    # Back from the goal, as long as it goes through what does nothing but panic.
    ways, queue = {}, deque([(goal, set(_places(program, goal)))])
    seen = {goal}
    while queue:
        callee, named = queue.popleft()
        for caller in sorted(callers.get(callee, ())):
            places = named | set(_places(program, caller))
            if not any(mark in program.title(caller) for mark in PANICKING):
                ways.setdefault(caller, set()).update(places)
            elif caller not in seen:
                seen.add(caller)
                queue.append((caller, places))
    return [Way(_way(program, entry, head), sorted(places)) for head, places in sorted(ways.items())]


# What the names of the library's functions that only panic have in common.
PANICKING = ("panicking", "rust_begin_unwind", "_fail")


def _way(program, start, end):
    """The shortest chain of calls, as far as no pointer is on the way."""
    before, queue = {start: None}, deque([start])
    while queue:
        at = queue.popleft()
        if at == end:
            way = []
            while at is not None:
                way.append(at)
                at = before[at]
            return way[::-1]
        for callee in sorted(program.calls[at]):
            if callee not in before:
                before[callee] = at
                queue.append(callee)
    return [end]


def _places(program, function):
    """The places in the source that a function would name in a panic: each is a
    `core::panic::Location`, that is a pointer to the file's name, its length, the line and the column."""
    for address in sorted(set(program.constants_of(function))):
        words = program.read(address, 16)
        if words is None:
            continue
        name, length, line, column = (int.from_bytes(words[i : i + 4], "little") for i in (0, 4, 8, 12))
        file = program.read(name, length) if 3 < length < 512 else None
        if file and file.endswith(b".rs") and 0 < line < 1_000_000:
            yield f"{file.decode(errors='replace')}:{line}:{column}"


def depth(program, name):
    """How deep the stack becomes from the function `name` on, in the worst case.

    A call through a pointer may lead to any function whose address is taken somewhere. What the
    owner's own functions need, of which it gives pointers, is the owner's to add.
    """
    entry, frames, edges = program.named(name), {}, {}
    for function, callees in program.calls.items():
        frames[function], through_pointer = _frame(program, function)
        edges[function] = callees | program.taken if through_pointer else callees
    deepest, below, recursions = {}, {}, []
    # Depth first: a function is measured when all that it calls are.
    path, left = [entry], [iter(sorted(edges[entry]))]
    while path:
        function, callee = path[-1], next(left[-1], None)
        if callee is None:
            path.pop()
            left.pop()
            measured = [callee for callee in edges[function] if callee in deepest]
            below[function] = max(measured, key=deepest.get, default=None)
            deepest[function] = frames[function] + deepest.get(below[function], 0)
        elif callee in path:
            recursions.append(path[path.index(callee) :])
        elif callee not in deepest:
            path.append(callee)
            left.append(iter(sorted(edges[callee])))
    worst, at = [], entry
    while at is not None:
        worst.append((frames[at], at))
        at = below[at]
    largest = max((frames[function], function) for function in deepest)
    return Depth(deepest[entry], worst, largest, recursions)


def _frame(program, function):
    """The bytes by which a function lowers the stack pointer, on all its ways together, and whether it
    calls through a pointer (ARMv7-M Architecture Reference Manual, A5 to A7)."""
    frame, through_pointer = 0, False
    for _, first, second in program.instructions(function):
        if second is None:
            if first & 0xFE00 == 0xB400:  # PUSH
                frame += 4 * (first & 0x1FF).bit_count()
            elif first & 0xFF80 == 0xB080:  # SUB SP, SP, #
                frame += 4 * (first & 0x7F)
            elif first & 0xFF87 in (0x4780, 0x4687):  # BLX register; MOV PC, register
                through_pointer = True
            elif first & 0xFF87 == 0x4700 and first >> 3 & 15 != 14:  # BX, save to the link register
                through_pointer = True
            elif first & 0xFF87 == 0x4485:  # ADD SP, register
                _varies(program, function)
        elif first == 0xE92D:  # PUSH.W
            frame += 4 * second.bit_count()
        elif first == 0xF84D and second & 0x0F00 == 0x0D00:  # STR, with SP lowered before
            frame += second & 0xFF
        elif first == 0xE96D:  # STRD, with SP lowered before
            frame += 4 * (second & 0xFF)
        elif first & 0xFBEF == 0xF1AD and second & 0x8F00 == 0x0D00:  # SUB.W SP, SP, #
            frame += _modified(first, second)
        elif first & 0xFBFF == 0xF2AD and second & 0x8F00 == 0x0D00:  # SUBW SP, SP, #
            frame += _plain(first, second)
        elif first & 0xFFEF == 0xEBAD and second & 0x0F00 == 0x0D00:  # SUB.W SP, SP, register
            _varies(program, function)
        elif first & 0xFF70 == 0xF850 and second >> 12 == 15 and first != 0xF85D:  # LDR PC
            through_pointer = True
    return frame, through_pointer


def _varies(program, function):
    raise SystemExit(f"{program.path}: the frame of {program.title(function)} has no fixed size")


def _plain(first, second):
    return (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF


def _modified(first, second):
    """A modified immediate constant (A5.3.2)."""
    value = _plain(first, second)
    if value >> 10 == 0:
        byte = value & 0xFF
        return (byte, byte << 16 | byte, byte << 24 | byte << 8, byte * 0x01010101)[value >> 8 & 3]
    unrotated, by = 0x80 | value & 0x7F, value >> 7 & 31
    return (unrotated >> by | unrotated << (32 - by)) & 0xFFFFFFFF
