//! Tests of both ways of resolving names: each on its own, and against each other.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use fastrand::Rng;
use tempfile::TempDir;

use super::*;

const BOTH: [Resolution; 2] = [Resolution::Kernel, Resolution::Walk];

/// What a name leads to beneath the root: which file, or why none.
fn found(
    resolution: Resolution,
    root: &File,
    name: impl AsRef<[u8]>,
    flags: OFlag,
) -> Result<(u64, u64), Errno> {
    let opened = resolution.open(root, name.as_ref(), flags);
    let file = File::from(opened.map_err(|error| errno(&error))?);
    let metadata = file.metadata().unwrap();
    Ok((metadata.dev(), metadata.ino()))
}

/// What both say to it, which must be the same.
#[track_caller]
fn both(root: &File, name: impl AsRef<[u8]>, flags: OFlag) -> Result<(u64, u64), Errno> {
    let [kernel, walk] = BOTH.map(|resolution| found(resolution, root, name.as_ref(), flags));
    assert_eq!(kernel, walk, "{:?} {flags:?}", String::from_utf8_lossy(name.as_ref()));
    kernel
}

const READ: OFlag = OFlag::O_RDONLY.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);

fn fixture() -> (TempDir, File) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("root/sub/deep")).unwrap();
    for name in ["secret", "root/file", "root/sub/inner", "root/sub/deep/x"] {
        fs::write(path.join(name), name).unwrap();
    }
    let root = File::open(path.join("root")).unwrap();
    (folder, root)
}

#[test]
fn this_system_has_what_is_compared_here() {
    let (_folder, root) = fixture();
    assert_eq!(Resolution::of_system(&root), Resolution::Kernel);
}

#[test]
fn a_chain_of_links_has_an_end() {
    let (folder, root) = fixture();
    let link = |target: &str, name: &str| {
        symlink(target, folder.path().join("root").join(name)).unwrap();
    };
    link("file", "0");
    for number in 1..=41 {
        link(&(number - 1).to_string(), &number.to_string());
    }
    link("self", "self");
    link("pong", "ping");
    link("ping/x", "pong");
    link("sub/deep/../deep/..", "around");
    // The last of the links is the first of them: 40 lead to `39`.
    assert!(both(&root, "39", READ).is_ok());
    assert_eq!(both(&root, "40", READ), Err(Errno::ELOOP));
    for name in ["self", "self/x", "ping", "pong"] {
        assert_eq!(both(&root, name, READ), Err(Errno::ELOOP), "{name}");
    }
    // All that one name leads through count together.
    assert!(both(&root, "around/".repeat(40) + "inner", READ).is_err(), "it is not in itself");
    link(".", "here");
    assert!(both(&root, "here/".repeat(40) + "file", READ).is_ok());
    assert_eq!(both(&root, "here/".repeat(41) + "file", READ), Err(Errno::ELOOP));
}

#[test]
fn links_lead_beneath_the_root_or_are_refused() {
    let (folder, root) = fixture();
    let path = folder.path().join("root");
    let link = |target: &str, name: &str| symlink(target, path.join(name)).unwrap();
    let inside = path.to_str().unwrap();
    for (name, target) in [
        ("sub/up", "../file"),
        ("sub/deep/far", "../.././sub//deep/../inner"),
        ("to-sub", "sub/deep/.."),
        ("to-sub-slash", "sub/"),
        ("through", "to-sub/deep/far"),
    ] {
        link(target, name);
        assert!(both(&root, name, READ).is_ok(), "{name}");
    }
    for (name, target) in [
        ("out", "../secret"),
        ("sub/out", "../../secret"),
        ("sub/deep/out", "../../../root/file"),
        ("out-and-in", "../root/file"),
        ("absolute", "/etc/passwd"),
        ("absolute-inside", inside),
        ("parent", ".."),
        ("sub/parent", "../to-sub/../.."),
    ] {
        link(target, name);
        assert_eq!(both(&root, name, READ), Err(Errno::EXDEV), "{name}");
        assert_eq!(both(&root, format!("{name}/file"), READ), Err(Errno::EXDEV), "{name}");
    }
    for name in ["..", "/", "/file", "sub/../..", "./../root/file", "sub/deep/../../../root"] {
        assert_eq!(both(&root, name, READ), Err(Errno::EXDEV), "{name}");
    }
}

#[test]
fn what_is_behind_a_slash_is_a_folder() {
    let (folder, root) = fixture();
    let path = folder.path().join("root");
    symlink("file", path.join("to-file")).unwrap();
    symlink("file/", path.join("to-file-slash")).unwrap();
    symlink("sub", path.join("to-sub")).unwrap();
    for name in ["file/", "file/.", "file/..", "to-file/", "to-file-slash", "to-file/x"] {
        assert_eq!(both(&root, name, READ), Err(Errno::ENOTDIR), "{name}");
    }
    let list = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    for name in ["file", "to-file", "to-file-slash"] {
        assert_eq!(both(&root, name, list), Err(Errno::ENOTDIR), "{name}");
    }
    for name in [".", "./", "sub", "sub/", "to-sub", "to-sub/", "to-sub/.", "sub/deep/..", "sub//."]
    {
        assert!(both(&root, name, list).is_ok(), "{name}");
        assert!(both(&root, name, READ).is_ok(), "{name}");
    }
    for name in ["nothing", "sub/nothing/x", "to-sub/nothing", "nothing/.."] {
        assert_eq!(both(&root, name, READ), Err(Errno::ENOENT), "{name}");
    }
}

#[test]
fn names_and_parts_have_a_length() {
    let (_folder, root) = fixture();
    for length in [255, 256, 4095, 4096] {
        let expected = if length == 255 { Errno::ENOENT } else { Errno::ENAMETOOLONG };
        assert_eq!(both(&root, vec![b'a'; length], READ), Err(expected), "{length}");
    }
    let longest = "./".repeat(2045) + "/file";
    assert!(longest.len() == 4095 && both(&root, &longest, READ).is_ok());
    assert_eq!(both(&root, longest.replace("/file", "//file"), READ), Err(Errno::ENAMETOOLONG));
}

/// What `/proc` shows as links may lead to what no path leads to.
#[test]
fn magic_links_are_refused() {
    let process = File::open(format!("/proc/{}", std::process::id())).unwrap();
    for name in ["root/etc/passwd", "cwd", "exe", "ns/net", "fd/0"] {
        assert_eq!(both(&process, name, READ), Err(Errno::ELOOP), "{name}");
    }
    assert!(both(&process, "status", READ).is_ok());
}

/// What an owner may only list, or only search.
#[test]
fn rights_are_the_kernels() {
    let (folder, root) = fixture();
    let path = folder.path().join("root/sub");
    for mode in [0o000, 0o400, 0o100, 0o500] {
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        // The superuser may all of it, either way.
        for name in ["sub/inner", "sub/..", "sub/../file", "sub/.", "sub/deep/../inner", "sub"] {
            let _ = both(&root, name, READ);
        }
    }
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}

/// Makes a tree of folders, files and links to all kinds of places.
fn grow(root: &Path, random: &mut Rng) {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    for _ in 0..random.usize(5..40) {
        let depth = random.usize(1..4);
        let parts: Vec<_> = (0..depth).map(|_| *random.choice(&NAMES).unwrap()).collect();
        let path = root.join(parts.join("/"));
        // What is in the way stays.
        let _ = match random.u8(0..4) {
            0 => fs::create_dir_all(&path),
            1 => fs::write(&path, "contents"),
            _ => symlink(some_path(random), &path),
        };
    }
}

/// A path of parts that may be there, with a slash or two more than needed.
fn some_path(random: &mut Rng) -> String {
    const PARTS: [&str; 12] = ["a", "b", "c", "d", "e", "a", "b", "c", "..", "..", ".", "f"];
    let mut path = if random.u8(0..30) == 0 { "/".to_owned() } else { String::new() };
    for number in 0..random.usize(1..7) {
        if number > 0 {
            path.push_str(if random.u8(0..8) == 0 { "//" } else { "/" });
        }
        path.push_str(random.choice(&PARTS).unwrap());
    }
    if random.u8(0..6) == 0 {
        path.push('/');
    }
    path
}

#[test]
fn in_random_trees_both_ways_lead_to_the_same() {
    let (mut opened, mut refused) = (0, 0);
    for seed in 0..150 {
        println!("seed {seed}");
        let mut random = Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root");
        fs::create_dir(&path).unwrap();
        grow(folder.path(), &mut random);
        for _ in 0..3 {
            grow(&path, &mut random);
        }
        let root = File::open(&path).unwrap();
        for _ in 0..200 {
            let name = some_path(&mut random);
            let flags = [READ, OFlag::O_PATH, OFlag::O_RDONLY | OFlag::O_DIRECTORY];
            match both(&root, &name, random.choice(flags).unwrap()) {
                Ok(_) => opened += 1,
                Err(_) => refused += 1,
            }
        }
    }
    println!("{opened} opened, {refused} refused");
    assert!(opened > 1000 && refused > 1000, "{opened} opened, {refused} refused");
}
