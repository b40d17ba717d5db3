//! Tells the linker of the memory, and in which order things go there; and puts the key, if there is one, where
//! `src/key.rs` has it from.

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=build.rs");
    provision();
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rustc-link-search={}", Path::new(&folder).display());
    // Here and not in `.cargo/config.toml`, where a RUSTFLAGS in the environment would hide them.
    for argument in ["-Tlink.x", "-Tdefmt.x", "--nmagic"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}

/// The key is the file that `BAREWIRE_KEY_FILE` names, as the programs of Linux have it.
fn provision() {
    println!("cargo::rustc-check-cfg=cfg(keyed)");
    println!("cargo:rerun-if-env-changed=BAREWIRE_KEY_FILE");
    let Some(path) = env::var_os("BAREWIRE_KEY_FILE").filter(|path| !path.is_empty()) else {
        return;
    };
    let path = fs::canonicalize(&path)
        .unwrap_or_else(|error| panic!("BAREWIRE_KEY_FILE: {}: {error}", path.display()));
    println!("cargo:rerun-if-changed={}", path.display());
    let key = fs::read(&path).expect("it is a file");
    assert_eq!(key.len(), 32, "BAREWIRE_KEY_FILE: {}: a key has 32 bytes", path.display());
    println!("cargo:rustc-env=BAREWIRE_KEY_FILE={}", path.display());
    println!("cargo:rustc-cfg=keyed");
}
