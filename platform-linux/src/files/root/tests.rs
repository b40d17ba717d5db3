//! Tests of what a name can reach.

use std::fmt::Debug;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode as FifoMode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;
use crate::sys::exchange;

/// Has `test` look at a root in a folder that also has a file outside the root: whoever resolves names.
fn each_way(test: impl Fn(&TempDir, Root)) {
    for resolution in [Resolution::Kernel, Resolution::Walk] {
        println!("{resolution}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("secret"), "secret").unwrap();
        fs::create_dir_all(path.join("root/sub/deep")).unwrap();
        fs::write(path.join("root/file"), "contents").unwrap();
        fs::write(path.join("root/sub/inner"), "inner contents").unwrap();
        let root = Root::open(path.join("root")).unwrap();
        test(&folder, root.with_resolution(resolution));
    }
}

#[track_caller]
fn refused(root: &Root, name: impl AsRef<[u8]>) {
    let refusal = root.open_file(name.as_ref()).unwrap_err();
    assert!(matches!(refusal, OpenError::Refused(_)), "{refusal:?}");
}

#[track_caller]
fn missing(root: &Root, name: impl AsRef<[u8]>) {
    assert_eq!(root.open_file(name.as_ref()).unwrap_err(), OpenError::NotFound);
}

#[test]
fn names_lead_to_files() {
    each_way(|_, root| {
        let names = ["file", "./file", "sub/../file", "sub//inner", "sub/deep/../inner"];
        for name in names {
            let opened = root.open_file(name.as_bytes()).unwrap();
            assert_eq!(opened.size(), if name.ends_with("file") { 8 } else { 14 });
        }
        missing(&root, "nothing");
        missing(&root, "file/x");
        missing(&root, "sub\\inner");
        missing(&root, b"\xFF\x1B");
    });
}

#[test]
fn a_backslash_is_a_character_like_any_other() {
    each_way(|folder, root| {
        fs::write(folder.path().join("root/a\\b"), "x").unwrap();
        assert_eq!(root.open_file(b"a\\b").unwrap().size(), 1);
        missing(&root, "sub\\..\\..\\secret");
    });
}

#[test]
fn hostile_names_are_refused() {
    each_way(|folder, root| {
        for name in
            ["", ".", "..", "../secret", "sub/../../secret", "/etc/passwd", "/", "sub", "sub/"]
        {
            refused(&root, name);
        }
        refused(&root, folder.path().join("root/file").to_str().unwrap());
        refused(&root, b"file\0");
        refused(&root, vec![b'a'; 4096]);
        refused(&root, [b"a/".repeat(4000), b"b".to_vec()].concat());
        refused(&root, b"../".repeat(300));
        assert!(root.open_file(b"file").is_ok(), "unharmed");
    });
}

#[test]
fn relative_links_work_inside_and_never_lead_out() {
    each_way(|folder, root| {
        let path = folder.path().join("root");
        let link = |target: &str, name: &str| symlink(target, path.join(name)).unwrap();
        link("file", "to-file");
        link("../file", "sub/up");
        link("sub", "to-sub");
        assert_eq!(root.open_file(b"to-file").unwrap().size(), 8);
        assert_eq!(root.open_file(b"sub/up").unwrap().size(), 8);
        assert_eq!(root.open_file(b"to-sub/inner").unwrap().size(), 14);
        assert_eq!(root.open_file(b"to-sub/up").unwrap().size(), 8);

        link("../secret", "out");
        link("..", "to-parent");
        link("../root/file", "out-and-in");
        symlink(path.join("file"), path.join("absolute")).unwrap();
        symlink(&path, path.join("absolute-folder")).unwrap();
        link("/proc/self/root/etc/passwd", "magic");
        link("loop", "loop");
        for name in ["out", "to-parent/secret", "out-and-in", "absolute", "magic", "loop"] {
            refused(&root, name);
        }
        refused(&root, "absolute-folder/file");
        link("gone", "dangling");
        missing(&root, "dangling");
    });
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    each_way(|folder, root| {
        let path = folder.path().join("root");
        mkfifo(&path.join("fifo"), FifoMode::S_IRWXU).unwrap();
        let _listener = UnixListener::bind(path.join("socket")).unwrap();
        symlink("fifo", path.join("to-fifo")).unwrap();
        for name in ["fifo", "to-fifo", "socket"] {
            refused(&root, name);
        }
        let devices = Root::open("/dev").unwrap();
        refused(&devices, "null");
    });
}

struct StopOnDrop<'s>(&'s AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Looks again and again while another thread makes a change over and over, until all that is to be `seen` was; but
/// not for ever.
fn race<S: Debug + Default>(
    change: impl Fn() + Sync,
    look: impl Fn(&mut S),
    is_all: impl Fn(&S) -> bool,
) {
    const ENOUGH: Duration = Duration::from_mins(1);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let changing = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                change();
            }
        });
        // What fails here has the other thread stop as well.
        let _stop = StopOnDrop(&stop);
        let (began, mut seen, mut looks) = (Instant::now(), S::default(), 0);
        while looks < 3000 || !is_all(&seen) {
            assert!(!changing.is_finished(), "the change could not be made (see above)");
            assert!(began.elapsed() < ENOUGH, "in {looks} looks no more than this: {seen:?}");
            look(&mut seen);
            looks += 1;
        }
    });
}

/// What became of names that lead inside at one moment, and outside at another.
#[derive(Debug, Default)]
struct Outcomes {
    given: u32,
    refused: u32,
    busy: u32,
}

impl Outcomes {
    /// What was given.
    #[track_caller]
    fn count<T>(&mut self, answer: Result<T, OpenError>) -> Option<T> {
        match answer {
            Ok(given) => {
                self.given += 1;
                return Some(given);
            }
            Err(OpenError::Refused(_)) => self.refused += 1,
            // There was too much change to tell.
            Err(OpenError::Busy(_)) => self.busy += 1,
            Err(refusal) => panic!("{refusal}"),
        }
        None
    }

    /// Else nothing was raced.
    fn are_both(&self) -> bool {
        self.given > 0 && self.refused > 0
    }
}

#[test]
fn while_folders_and_links_are_swapped_nothing_outside_is_read() {
    each_way(|folder, root| {
        let path = folder.path();
        fs::write(path.join("inner"), "outside!").unwrap();
        symlink("..", path.join("root/out")).unwrap();
        let swapped = fs::File::open(path.join("root")).unwrap();
        race::<[Outcomes; 2]>(
            || exchange(&swapped, "sub", "out").expect("names can change places (RENAME_EXCHANGE)"),
            |[opened, listed]| {
                if let Some(file) = opened.count(root.open_file(b"sub/inner")) {
                    assert_eq!(file.size(), 14);
                }
                if let Some(list) = listed.count(root.list(b"sub")) {
                    assert!(list.entries.iter().all(|entry| entry.name != "secret"));
                }
            },
            |both| both.iter().all(Outcomes::are_both),
        );
    });
}

#[test]
fn from_a_folder_that_is_moved_out_no_name_leads_to_what_is_beside_it() {
    each_way(|folder, root| {
        let path = folder.path();
        fs::create_dir_all(path.join("root/a/b")).unwrap();
        fs::write(path.join("root/a/b/inner"), "inner").unwrap();
        let moves = AtomicU32::new(0);
        race::<()>(
            || {
                fs::rename(path.join("root/a/b"), path.join("b")).unwrap();
                fs::rename(path.join("b"), path.join("root/a/b")).unwrap();
                moves.fetch_add(1, Ordering::Relaxed);
            },
            |()| {
                for name in ["a/b/../secret", "a/b/../../secret", "a/b/../root/file"] {
                    let found = root.open_file(name.as_bytes());
                    assert!(found.is_err(), "{name} is read");
                }
                if let Ok(opened) = root.open_file(b"a/b/../../file") {
                    assert_eq!(opened.size(), 8);
                }
            },
            |()| moves.load(Ordering::Relaxed) >= 100,
        );
    });
}

#[test]
fn what_is_hidden_is_not_there_unless_that_is_wanted() {
    each_way(|folder, root| {
        let path = folder.path();
        fs::create_dir_all(path.join("root/.git/sub")).unwrap();
        fs::create_dir(path.join("root/dir.part")).unwrap();
        let names = [".hidden", ".git/x", ".git/sub/x", "x.part", "x.part.journal", "sub/.hidden"];
        for name in names.into_iter().chain(["dir.part/x"]) {
            fs::write(path.join("root").join(name), "x").unwrap();
        }
        symlink(".git", path.join("root/shown")).unwrap();
        for name in names.into_iter().chain([".git/../file", "sub/../.hidden", ".nothing", ".git"])
        {
            assert_eq!(root.open_file(name.as_bytes()).unwrap_err(), OpenError::Hidden, "{name}");
        }
        // Where it leads counts more.
        refused(&root, "../.hidden");
        refused(&root, "../x.part");
        refused(&root, "/.hidden");
        assert!(root.open_file(b"dir.part/x").is_ok() && root.open_file(b"shown/x").is_ok());
        let all = root.with_hidden(true);
        assert!(names.iter().all(|name| all.open_file(name.as_bytes()).is_ok()));
    });
}

#[test]
fn a_root_is_a_folder() {
    each_way(|folder, _| {
        let error = |name: &str| Root::open(folder.path().join(name)).unwrap_err().kind();
        assert_eq!(error("secret"), io::ErrorKind::NotADirectory);
        assert_eq!(error("nothing"), io::ErrorKind::NotFound);
        symlink("root", folder.path().join("link")).unwrap();
        let root = Root::open(folder.path().join("link")).unwrap();
        fs::remove_file(folder.path().join("link")).unwrap();
        assert!(root.open_file(b"file").is_ok(), "the folder, not its name");
    });
}

/// What is in memory, as all is here that has just been made, and on the root's own device.
#[test]
fn what_need_not_be_waited_for_is_opened_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root");
    fs::create_dir_all(path.join("sub")).unwrap();
    fs::write(path.join("sub/inner"), "inner contents").unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    symlink("../secret", path.join("out")).unwrap();
    let root = Root::open(&path).unwrap();
    let mut opened = root.open_file_at_once(b"sub/inner").unwrap().expect("it was just made");
    assert_eq!((opened.size(), opened.check().unwrap()), (14, crate::files::FileChange::Unchanged));
    let refusal = root.open_file_at_once(b"sub").unwrap_err();
    assert_eq!(refusal, OpenError::Refused(Reason::Kind));
    // What leads out, as well as what is mounted there, is for those who can wait to find out.
    assert!(root.open_file_at_once(b"out").unwrap().is_none());
    assert!(matches!(root.open_file(b"out"), Err(OpenError::Refused(_))));
    let system = Root::open("/").unwrap();
    assert!(system.open_file_at_once(b"proc/version").unwrap().is_none());
    assert_eq!(system.open_file(b"proc/version").unwrap_err(), OpenError::Refused(Reason::Size));
}
