//! Every input that was worth keeping is run again, by the ordinary tests: no nightly compiler, and
//! no target that nobody runs any more.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

use barewire_oracles::TARGETS;

/// A folder beside the fuzz targets.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// What a folder holds, by name.
fn entries(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Runs all that a folder has for each target; how many inputs that were, by target.
fn replay(kind: &str) -> Vec<(&'static str, usize)> {
    let replay_target = |name: &'static str, run: fn(&[u8])| {
        let folder = folder(kind).join(name);
        let inputs = if folder.exists() { entries(&folder) } else { BTreeSet::new() };
        for path in &inputs {
            let bytes = fs::read(path).expect("an input");
            catch_unwind(|| run(&bytes)).unwrap_or_else(|_| {
                panic!("{name} does not hold for {}", path.display());
            });
        }
        (name, inputs.len())
    };
    TARGETS.iter().map(|target| replay_target(target.name, target.run)).collect()
}

#[test]
fn the_seeds_hold() {
    let counts = replay("seeds");
    for (name, count) in counts {
        assert!(count > 1, "{name} has no seeds: see the README of core/fuzz");
    }
}

#[test]
fn what_was_found_once_holds() {
    let total: usize = replay("regressions").into_iter().map(|(_, count)| count).sum();
    assert!(total > 0, "nothing was replayed");
}

/// What fuzzing has put beside the seeds on this machine, for `.ci/coverage fuzz`.
#[test]
#[ignore = "is there only after fuzzing, and as long as that was"]
fn what_was_learned_here_holds() {
    replay("corpus");
}

/// A mistake in its arguments is no finding, and no reason to fuzz everything.
#[test]
fn who_asks_for_another_target_is_told_which_there_are() {
    for (arguments, told) in [(&["1", "texts"][..], "chat_room"), (&["text"], "SECONDS")] {
        let script = folder("../../.ci/fuzz");
        let output = Command::new(script).args(arguments).output().expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(told), "{arguments:?}: {errors}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
    }
    assert!(!folder("corpus/texts").exists());
}

/// A file for each target, an entry in the manifest, and no folder of inputs for anything else.
#[test]
fn targets_and_folders_agree() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let stems = |name: &str| -> BTreeSet<_> {
        let stem =
            |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        entries(&folder(name)).iter().filter_map(stem).collect()
    };
    assert_eq!(stems("fuzz_targets"), targets);
    assert_eq!(stems("seeds"), targets);
    assert!(stems("regressions").is_subset(&targets));
    let manifest = fs::read_to_string(folder("Cargo.toml")).expect("the manifest");
    for name in targets {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "{name} is no target of cargo-fuzz");
    }
}
