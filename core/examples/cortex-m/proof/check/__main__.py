"""Builds the programs, and checks what is in them:

- no panic, in any of them;
- no arithmetic in the core that could overflow;
- everything that the core offers is called;
- no recursion, and no more flash, static memory and stack than the ceilings allow, or much else than the core's README tells.

Each check is also seen to fail. Usage: python3 core/examples/cortex-m/proof/check
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import calls  # noqa: E402
import surface  # noqa: E402
import told  # noqa: E402
from ceilings import Ceilings  # noqa: E402
from elf import Program  # noqa: E402
from toolchain import Toolchain  # noqa: E402

PROOF = Path(__file__).resolve().parent.parent
ROOT = PROOF.parents[3]
PANIC = "barewire_can_panic"
ALONE = ("datagram", "hello", "file", "chat", "secure")
# One side of the keyed channel, for a board that is always a client, or always a server.
SIDES = ("secure_client", "secure_server")
# What proves that the core cannot panic has nothing of others' in it: the primitives of the keyed channel,
# which may panic for all that a compiler can tell, have stand-ins there. The figures are with them.
STAND_INS = "--cfg barewire_stand_ins"
# The deepest of the primitives.
LADDER = "barewire_core::secure::primitives::shared"
LEGACY = "-Z unstable-options -C symbol-mangling-version=legacy"


def main():
    target_dir = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "proof"
    ceilings = Ceilings(PROOF / "ceilings.txt")
    toolchain = Toolchain(ROOT, ceilings.compiler, target_dir)
    small = toolchain.build(PROOF, flags=STAND_INS, to="stand-ins")
    strict = toolchain.build(PROOF, profile="strict", flags=STAND_INS, to="stand-ins")
    planted = toolchain.build(PROOF, features=["plant"], flags=STAND_INS, to="planted")
    whole = toolchain.build(PROOF, default_features=False)
    faults = []
    print(f"rustc {Program(small / 'all').compiler()} for a Cortex-M3")
    for folder in (small, strict):
        for name in (*ALONE, "all", "everything"):
            faults += panics(Program(folder / name))
    print("panics: " + ("there are" if faults else "none"))
    faults += missing(toolchain)
    faults += footprint(small, whole, ceilings)
    faults += unseen(Program(planted / "everything"))
    if faults:
        raise SystemExit("\n" + "\n".join(faults))


def panics(program):
    """What leads to a panic, in words."""
    goal = program.named(PANIC)
    if goal is None:
        return []
    words = [f"{program.path.parent.name}/{program.path.name} can panic:"]
    for way in calls.ways_to(program, goal, program.named("start")):
        words.append("  " + " > ".join(map(program.title, way.functions)))
        words += [f"    {place}" for place in way.places]
    return words


def unseen(planted):
    """What was planted and not found."""
    faults = []
    if not any("/plant.rs:" in line for line in panics(planted)):
        faults.append("a planted panic was not found")
    recursions = calls.depth(planted, "drive_all").recursions
    if ["barewire_proof::plant::recurse"] not in [list(map(planted.title, r)) for r in recursions]:
        faults.append("a planted recursion was not found")
    return faults


def missing(toolchain):
    """What the core offers and nothing calls."""
    offered = surface.offered(toolchain.document("barewire-core"), "barewire_core")
    folder = toolchain.build(PROOF, profile="dev", flags=STAND_INS, unstable=LEGACY, to="unoptimized")
    absent = offered - surface.called(Program(folder / "everything"))
    print(f"functions of the core that are called: {len(offered - absent)} of {len(offered)}")
    faults = [f"nothing calls {' '.join(filter(None, function))}" for function in sorted(absent)]
    hello = surface.called(Program(folder / "hello"))
    if ("barewire_core::chat::room::Room", "", "join") in hello or not offered & hello:
        faults.append("what one conversation calls was taken for another's")
    return faults


def footprint(small, whole, ceilings):
    """What the programs need, against the ceilings."""
    faults, figures = [], {}
    programs = {name: Program(whole / name) for name in (*ALONE, *SIDES, "all")}
    for name, program in programs.items():
        figures[f"flash {name}"] = program.flash()
    figures["static all"] = programs["all"].ram()
    # Where the compiler keeps the address of a primitive in a register, any call through one seems to lead to
    # any: so the stack is that of what calls them, and that of the deepest of them is a figure of its own.
    figures["stack x25519"] = calls.depth(programs["secure"], LADDER).bytes
    programs = {name: Program(small / name) for name in (*ALONE, "all")}
    for entry, what in (("drive_all", "stack"), ("make_all", "stack to make")):
        for name, program in programs.items():
            depth = calls.depth(program, entry)
            figures[f"{what} {name}"] = depth.bytes
            for path in depth.recursions:
                names = " > ".join(map(program.title, path))
                faults.append(f"{name} has no bound on its stack: {names} > again")
    deepest = calls.depth(programs["all"], "drive_all")
    figures["largest frame"] = deepest.largest[0]
    compiler = programs["all"].compiler()
    faults += ceilings.compare(figures, compiler)
    if compiler == ceilings.compiler:
        faults += told.outdated((ROOT / "core" / "README.md").read_text(), figures)
    else:
        faults += not_tried(f"the figures of the core, which are for rustc {ceilings.compiler} (here is {compiler})")
    print("the deepest way of all four:")
    for frame, function in deepest.path:
        print(f"  {frame:5}  {programs['all'].title(function)}")
    return faults


def not_tried(what):
    """Says that it was left out, also in the list that CI ends with; a fault where nothing may be."""
    if os.environ.get("NOTHING_LEFT_OUT"):
        return [f"not tried: {what}"]
    with open(os.environ.get("NOT_TRIED", os.devnull), "a", encoding="utf-8") as names:
        names.write(f"{what}\n")
    print(f"not tried: {what}")
    return []


main()
