"""Whether everything that the core offers is called: what `rustdoc` lists against what an unoptimized
program, in which every function still has a name, is linked from."""

import json
import re

from names import readable


def offered(documentation, crate):
    """All public functions, methods and trait methods written by hand, as `type, trait, name`; the
    type is empty for a function."""
    index = json.loads(documentation.read_text())
    paths = {key: "::".join(item["path"]) for key, item in index["paths"].items()}
    items, functions, in_impls = index["index"], set(), set()
    for item in items.values():
        block = item["inner"].get("impl")
        if not block or item["crate_id"] != 0 or block["is_synthetic"] or block["blanket_impl"]:
            continue
        in_impls.update(str(key) for key in block["items"])
        if any("automatically_derived" in str(attribute) for attribute in item["attrs"]):
            continue
        trait = block["trait"]["path"].rsplit("::", 1)[-1] if block["trait"] else ""
        for key in block["items"]:
            method = items[str(key)]
            if "function" in method["inner"] and (trait or method["visibility"] == "public"):
                functions.add((_type(block["for"], paths), trait, method["name"]))
    for key, item in items.items():
        if "function" in item["inner"] and item["visibility"] == "public" and key not in in_impls:
            functions.add(("", "", paths[key]))
    if not any(kind.startswith(crate) for kind, _, _ in functions):
        raise SystemExit(f"{documentation}: nothing in it is {crate}'s")
    return functions


def _type(kind, paths):
    if "borrowed_ref" in kind:
        return "&" + _type(kind["borrowed_ref"]["type"], paths)
    if "resolved_path" in kind:
        return paths[str(kind["resolved_path"]["id"])]
    return "_"


def called(program):
    """The same of what a program itself calls or passes on: not what the core calls for it, with
    arguments of its own."""
    ours = ("barewire_proof::", f"{program.path.name}::", "make_all", "drive_all")
    own = [address for address in program.functions if program.title(address).startswith(ours)]
    functions = set()
    for address in program.taken.union(*(program.calls[address] for address in own)):
        for path in map(readable, program.functions[address]):
            path = _without_arguments(path.replace("&mut ", "&").replace("::{{closure}}", ""))
            if match := re.fullmatch(r"<(.+) as (?:.+::)?(\w+)>::(\w+)", path):
                kind = re.sub(r"^&\w+$", "&_", match[1])
                functions.add((kind, match[2], match[3]))
            elif match := re.fullmatch(r"(?:.+::)?<impl (?:.+::)?(\w+) for (.+)>::(\w+)", path):
                functions.add((match[2], match[1], match[3]))
            else:
                functions.add(("", "", path))
                kind, _, name = path.rpartition("::")
                functions.add((kind, "", name))
    return functions


def _without_arguments(path):
    """A path without the arguments of generic types: `a::B<C>::d` as `a::B::d`."""
    while (shorter := re.sub(r"(?<=\w)<[^<>]*>", "", path)) != path:
        path = shorter
    return path
