"""Which compiler builds the programs, and how."""

import os
import shutil
import subprocess
from pathlib import Path

TARGET = "thumbv7m-none-eabi"
# One entry point, and every reference left in for the check to read.
LINK = "-C link-arg=--entry=start -C link-arg=--emit-relocs"


class Toolchain:
    """The first that there is: the one that the ceilings are for, any other with the target, and the
    one of Debian, which builds the library's source as well."""

    def __init__(self, pinned, target_dir):
        self.target_dir, self.extra, self.environment = target_dir, [], {}
        if has_target(["rustc"]) and version(["rustc"]) == pinned:
            self.cargo, self.rustc = ["cargo"], ["rustc"]
        elif has_pinned(pinned):
            self.cargo, self.rustc = ["cargo", f"+{pinned}"], ["rustc", f"+{pinned}"]
        elif has_target(["rustc"]) or succeeds(["rustup", "target", "add", TARGET]):
            self.cargo, self.rustc = ["cargo"], ["rustc"]
        elif has_source("/usr/bin/rustc"):
            self.cargo, self.rustc = ["/usr/bin/cargo"], ["/usr/bin/rustc"]
            self.extra = ["-Z", "build-std=core"]
            tools = {tool.upper(): f"/usr/bin/{tool}" for tool in ("rustc", "rustdoc")}
            # It comes without a linker of its own.
            linker = {"CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER": "arm-none-eabi-ld"}
            self.environment = {**tools, **linker, "RUSTC_BOOTSTRAP": "1"}
        else:
            raise SystemExit(f"no compiler for {TARGET}: run 'rustup target add {TARGET}'")
        self.version = version(self.rustc)
        self.is_pinned = self.version == pinned

    def build(self, folder, profile="release", features=(), unstable="", to="proof"):
        """Builds the programs of a workspace; gives the folder with them."""
        where = self.target_dir / to
        command = [*self.cargo, "build", "--quiet", "--locked", "--profile", profile, "--target", TARGET]
        command += [*self.extra, "--target-dir", where, "--features", ",".join(features)]
        flags = f"-D warnings {LINK} {unstable}"
        self._run(command, folder, flags, bool(unstable))
        return where / TARGET / ("debug" if profile == "dev" else profile)

    def document(self, folder, package):
        """What rustdoc knows of a package."""
        where = self.target_dir / "docs"
        command = [*self.cargo, "rustdoc", "--quiet", "--locked", "--lib", "--package", package]
        command += ["--target-dir", where, "--", "-Z", "unstable-options", "--output-format", "json"]
        self._run(command, folder, "", True)
        return where / "doc" / f"{package.replace('-', '_')}.json"

    def _run(self, command, folder, flags, is_unstable):
        environment = {**os.environ, "RUSTFLAGS": flags, "RUSTDOCFLAGS": "", **self.environment}
        environment.pop("CARGO_ENCODED_RUSTFLAGS", None)
        if is_unstable:
            environment["RUSTC_BOOTSTRAP"] = "1"
        if subprocess.run(command, cwd=folder, env=environment).returncode != 0:
            raise SystemExit(f"in {folder}: {' '.join(map(str, command))}")


def version(rustc):
    words = output([*rustc, "--version"]).split()
    return words[1] if words else ""


def has_target(rustc):
    folder = output([*rustc, "--print", "target-libdir", "--target", TARGET]).strip()
    return bool(folder) and Path(folder).is_dir()


def has_source(rustc):
    root = Path(output([rustc, "--print", "sysroot"]).strip() or "/nowhere")
    return (root / "lib/rustlib/src/rust/library/core").is_dir()


def has_pinned(pinned):
    """Whether rustup has the compiler that the ceilings are for, or can fetch it."""
    install = ["rustup", "toolchain", "install", pinned, "--profile", "minimal", "--target", TARGET]
    return has_target(["rustc", f"+{pinned}"]) or (succeeds(install) and has_target(["rustc", f"+{pinned}"]))


def succeeds(command):
    if shutil.which(command[0]) is None:
        return False
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run(command, **quiet).returncode == 0


def output(command):
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
