"""Symbols as people read them."""

import re

# How the older mangling writes what is neither letter nor digit.
SIGNS = {"LT": "<", "GT": ">", "RF": "&", "BP": "*", "C": ",", "LP": "(", "RP": ")", "u20": " ",
         "u27": "'", "u3b": ";", "u5b": "[", "u5d": "]", "u7b": "{", "u7d": "}"}


def readable(symbol):
    """A symbol as a path: exact for the older mangling, and near enough for the newer."""
    if symbol.startswith("_ZN"):
        parts = list(_lengths(symbol, 3, re.compile(r"(\d+)")))
        if re.fullmatch(r"h[0-9a-f]{16}", parts[-1]):
            parts.pop()
        path = "::".join(re.sub(r"^_(?=\$)", "", part) for part in parts)
        return re.sub(r"\$(\w+)\$", lambda code: SIGNS.get(code[1], code[0]), path).replace("..", "::")
    if symbol.startswith("_R"):
        skipped = r"B[0-9A-Za-z]*_|K[a-z]n?[0-9a-f]*_"  # References back, and constants.
        return "::".join(_lengths(symbol, 2, re.compile(rf"{skipped}|(?:s[0-9A-Za-z]*_)?([1-9]\d*)_?")))
    return symbol


def _lengths(symbol, at, prefix):
    """The parts of a symbol, each of which has its length in front."""
    while match := prefix.search(symbol, at):
        at = match.end() + int(match[1] or 0)
        if match[1]:
            yield symbol[match.end() : at]
