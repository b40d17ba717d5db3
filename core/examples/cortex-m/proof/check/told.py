"""What the core's README tells of the figures."""

import re

ROWS = {
    "flash": "flash",
    "stack, to drive the machines": "stack",
    "stack, to make them where they are not `static`": "stack to make",
}
COLUMNS = ("datagram", "hello", "file", "chat", "all", "secure")
SIDES = re.compile(r"takes ([\d,]+) bytes of flash as a client, and ([\d,]+) as a server")
# A reader asks for no more than so much.
PRECISE = 0.01


def outdated(text, figures):
    """What it tells otherwise than measured."""
    told = {}
    for line in text.splitlines():
        title, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
        if title in ROWS:
            told |= {f"{ROWS[title]} {column}": cell for column, cell in zip(COLUMNS, cells, strict=True)}
    sides = SIDES.search(text)
    if sides:
        told |= {"flash secure_client": sides[1], "flash secure_server": sides[2]}
    faults = []
    for name, cell in told.items():
        if abs(int(cell.replace(",", "")) - figures[name]) > figures[name] * PRECISE:
            faults.append(f"core/README.md: it is no longer {cell} but {figures[name]:,}: {name}")
    if len(told) != len(ROWS) * len(COLUMNS) + 2:
        faults.append(f"core/README.md: some figures were not found, only {', '.join(told)}")
    return faults
