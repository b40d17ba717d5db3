#!/usr/bin/env bash
# Builds all targets as OSS-Fuzz and ClusterFuzzLite take them, into the folder $OUT: for each target
# the program, its dictionary, its seeds in a ZIP archive, and the options that it is run with.
#
#     OUT=FOLDER RUSTUP_TOOLCHAIN=nightly core/fuzz/oss-fuzz.sh [OPTION OF cargo fuzz build…]
#
# It is what a `build.sh` there has to call: the compiler, cargo-fuzz and python3 are in the image
# base-builder-rust.
set -euo pipefail
cd "$(dirname "$0")"

host="$(rustc -vV | sed -n 's/^host: //p')"
cargo fuzz build --fuzz-dir . --release --target "$host" "$@"

targets=$(cargo fuzz list --fuzz-dir .)
for target in $targets; do
    cp "${CARGO_TARGET_DIR:-target}/$host/release/$target" "$OUT/$target"
    dictionary="dictionaries/${target%%_*}.dict"
    [ -e "$dictionary" ] || dictionary=dictionaries/text.dict
    cp "$dictionary" "$OUT/$target.dict"
    # As .ci/fuzz runs it.
    printf '[libfuzzer]\nmax_len = 256\n' >"$OUT/$target.options"
    inputs=("seeds/$target"/*)
    [ ! -d "regressions/$target" ] || inputs+=("regressions/$target"/*)
    python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" "${inputs[@]}"
done
