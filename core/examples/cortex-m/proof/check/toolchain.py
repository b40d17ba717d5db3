"""Which compiler builds the programs, and how."""

import os
import shutil
import subprocess
from pathlib import Path

TARGET = "thumbv7m-none-eabi"
# One entry point, and every reference left in for the check to read.
LINK = "-C link-arg=--entry=start -C link-arg=--emit-relocs"


class Toolchain:
    """The compiler that the ceilings are for, if rustup has it or can fetch it; else any."""

    def __init__(self, root, pinned, target_dir):
        self.root, self.target_dir = root, target_dir
        install = ["rustup", "toolchain", "install", pinned, "--profile", "minimal", "--target", TARGET]
        self.host = self.bare = ["cargo"]
        if version("rustc") != pinned or not has_target("rustc"):
            if has_target("rustc", f"+{pinned}") or succeeds(install):
                self.host = self.bare = ["cargo", f"+{pinned}"]
            else:
                self.bare = [root / ".ci/cortex-m-cargo"]

    def build(
        self, folder, profile="release", features=(), default_features=True, flags="", unstable="", to="proof"
    ):
        """Builds the programs of a workspace; gives the folder with them."""
        where = self.target_dir / to
        command = [*self.bare, "build", "--quiet", "--locked", "--profile", profile]
        command += ["--features", ",".join(features), "--target-dir", where]
        if not default_features:
            command += ["--no-default-features"]
        if self.bare == self.host:
            command += ["--target", TARGET]
        run(command, folder, f"-D warnings {LINK} {flags} {unstable}", bool(unstable))
        return where / TARGET / ("debug" if profile == "dev" else profile)

    def document(self, package):
        """What rustdoc knows of a package."""
        where = self.target_dir / "docs"
        command = [*self.host, "rustdoc", "--quiet", "--locked", "--lib", "--package", package]
        command += ["--target-dir", where, "--", "-Z", "unstable-options", "--output-format", "json"]
        run(command, self.root, "", True)
        return where / "doc" / f"{package.replace('-', '_')}.json"


def run(command, folder, flags, is_unstable):
    environment = {**os.environ, "RUSTFLAGS": flags, "RUSTDOCFLAGS": ""}
    environment.pop("CARGO_ENCODED_RUSTFLAGS", None)
    if is_unstable:
        environment["RUSTC_BOOTSTRAP"] = "1"
    if subprocess.run(command, cwd=folder, env=environment).returncode != 0:
        raise SystemExit(f"in {folder}: {' '.join(map(str, command))}")


def version(*rustc):
    words = output([*rustc, "--version"]).split()
    return words[1] if words else ""


def has_target(*rustc):
    folder = output([*rustc, "--print", "target-libdir", "--target", TARGET]).strip()
    return bool(folder) and Path(folder).is_dir()


def succeeds(command):
    if shutil.which(command[0]) is None:
        return False
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run(command, **quiet).returncode == 0


def output(command):
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
