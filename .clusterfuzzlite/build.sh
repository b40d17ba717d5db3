#!/bin/bash -eu
# What ClusterFuzzLite calls in its image, with the compiler that is there; where that is older than the core wants, with
# one that the image can install.
oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' core/Cargo.toml)
there=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
if [ "$(printf '%s\n' "$oldest" "$there" | sort --version-sort | head -n 1)" != "$oldest" ]; then
    # A sanitizer may want the standard library's source.
    rustup toolchain install nightly --profile minimal --no-self-update --component rust-src
    export RUSTUP_TOOLCHAIN=nightly
fi
exec core/fuzz/oss-fuzz.sh
