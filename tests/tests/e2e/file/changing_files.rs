//! The source changes while it is sent (pterodactyl/panel#4563). A part, or a mixture, must never pass
//! for the whole: shrinking and rewriting end in a reset, and the server's log says so. Growing, as a
//! log does, and a rename over the file harm nobody.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, DIGEST, RESPONSE, SEGMENT, on_the_wire};
use barewire_tests::harness::sockets::{End, connect_narrow, read_out, widen};
use barewire_tests::harness::{Fault, Folder, Proxy, Server, share};
use blake3::hazmat::HasherExt as _;

use crate::file::begin;

/// More than waits on the way for a client who does not read.
const SIZE: usize = 8 * SEGMENT;

/// How the server may say it: at the end, or where it found it.
const CHANGED: [&str; 2] =
    ["the file changed while it was sent", "the file was truncated while it was sent"];

/// How a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Plain,
    Unverified,
    Verified,
}

const FORMS: [Form; 3] = [Form::Plain, Form::Unverified, Form::Verified];

impl Form {
    fn request(self) -> Vec<u8> {
        match self {
            Self::Plain => b"x\n".to_vec(),
            Self::Unverified => Ask::get("x").unverified().bytes(),
            Self::Verified => Ask::get("x").bytes(),
        }
    }

    /// How many bytes the whole takes.
    fn whole(self) -> u64 {
        match self {
            Self::Plain => SIZE as u64,
            Self::Unverified => (RESPONSE + SIZE) as u64,
            Self::Verified => on_the_wire(SIZE),
        }
    }
}

/// Asks for a file, reads its beginning, and has it changed before reading on.
struct Transfer {
    folder: Folder,
    whole: Vec<u8>,
    server: Server,
    stream: TcpStream,
    begun: Vec<u8>,
}

impl Transfer {
    fn begin(form: Form) -> Self {
        let whole = contents(SIZE, 8);
        let folder = Folder::in_memory().with("x", &whole);
        let server = share(&folder, &[]);
        let mut stream = connect_narrow(server.address());
        stream.write_all(&form.request()).unwrap();
        let mut begun = vec![0; 10_000];
        stream.read_exact(&mut begun).unwrap();
        Self { folder, whole, server, stream, begun }
    }

    /// Reads on to the end.
    fn end(mut self) -> (Vec<u8>, End, Server) {
        let _ = self.stream.shutdown(Shutdown::Write);
        widen(&self.stream);
        let (rest, end) = read_out(&mut self.stream);
        self.begun.extend(rest);
        (self.begun, end, self.server)
    }

    #[track_caller]
    fn assert_reset(self, form: Form) {
        let (bytes, end, mut server) = self.end();
        assert_eq!(end, End::Reset, "{form:?}, after {} of {}", bytes.len(), form.whole());
        server.program.diagnostic_with(&CHANGED);
        server.stop().omits("x: 8388608 bytes");
    }

    #[track_caller]
    fn assert_whole(self, form: Form) {
        let whole = self.whole.clone();
        let (bytes, end, server) = self.end();
        assert_eq!((bytes.len() as u64, end), (form.whole(), End::Closed), "{form:?}");
        if form != Form::Verified {
            assert!(bytes.ends_with(&whole), "{form:?}");
        }
        server.stop().prints("x: 8388608 bytes");
    }
}

#[test]
fn a_file_that_shrinks_ends_in_a_reset() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        fs::File::options()
            .write(true)
            .open(transfer.folder.path("x"))
            .and_then(|file| file.set_len(SIZE as u64 / 2))
            .unwrap();
        transfer.assert_reset(form);
    }
}

/// The count fits, the contents are of two versions.
#[test]
fn a_file_that_is_rewritten_ends_in_a_reset() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        transfer.folder.write("x", contents(SIZE, 9));
        transfer.assert_reset(form);
    }
}

/// Nothing but the time of change tells, and then the digests. It ends in a reset, or in a digest that
/// proves wrong what went out before.
#[test]
fn what_is_rewritten_and_its_time_set_back_never_passes_for_proven() {
    let transfer = Transfer::begin(Form::Verified);
    let path = transfer.folder.path("x");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    for place in [100, SIZE as u64 - 100] {
        file.write_all_at(b"NEW", place).unwrap();
    }
    file.set_modified(modified).unwrap();
    let old = transfer.whole.clone();
    let (bytes, end, server) = transfer.end();
    if end == End::Closed {
        let is_proven =
            bytes[RESPONSE..].chunks(SEGMENT + DIGEST).enumerate().all(|(number, segment)| {
                let (piece, digest) = segment.split_at(segment.len() - DIGEST);
                let mut hasher = blake3::Hasher::new();
                hasher.set_input_offset((number * SEGMENT) as u64).update(piece);
                hasher.finalize_non_root() == digest
            });
        let pieces = bytes[RESPONSE..].chunks(SEGMENT + DIGEST).map(|segment| &segment[..SEGMENT]);
        assert!(!is_proven || pieces.collect::<Vec<_>>().concat() == old);
    }
    server.stop();
}

/// Its permissions are others, and its name: the contents are as they were.
#[test]
fn a_file_that_is_only_touched_arrives_whole() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        let path = transfer.folder.path("x");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&path, transfer.folder.path("y")).unwrap();
        transfer.assert_whole(form);
    }
}

/// What is longer did not only grow.
#[test]
fn a_file_that_is_rewritten_longer_ends_in_a_reset() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        transfer.folder.write("x", contents(SIZE + 99, 9));
        transfer.assert_reset(form);
    }
}

/// Its ends are as they were: only digests tell.
#[test]
fn a_file_that_is_overwritten_and_grows_never_passes_for_proven() {
    let mut transfer = Transfer::begin(Form::Verified);
    // So far that the first digest is out, and is one of what was there before.
    let mut more = vec![0; SEGMENT];
    transfer.stream.read_exact(&mut more).unwrap();
    transfer.begun.extend(more);
    let mut whole = transfer.whole.clone();
    whole[SEGMENT / 2..4 * SEGMENT].fill(0);
    whole.extend(b"one more line\n");
    transfer.folder.write("x", whole);
    transfer.assert_reset(Form::Verified);
}

/// Emptied and filled again, as a careless program saves: what is longer in the end did not grow.
#[test]
fn a_file_that_shrinks_below_what_was_told_ends_in_a_reset() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        transfer.folder.append("x", "grown first");
        transfer.folder.write("x", contents(SIZE - 1, 8));
        transfer.assert_reset(form);
    }
}

#[test]
fn a_log_that_grows_is_sent_as_far_as_was_told() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        transfer.folder.append("x", "one more line\n");
        transfer.assert_whole(form);
    }
}

#[test]
fn a_file_that_is_replaced_is_sent_as_it_was() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        transfer.folder.write("new", contents(SIZE, 9));
        fs::rename(transfer.folder.path("new"), transfer.folder.path("x")).unwrap();
        transfer.assert_whole(form);
    }
}

#[test]
fn a_file_that_is_removed_is_sent_as_it_was() {
    for form in FORMS {
        let transfer = Transfer::begin(form);
        fs::remove_file(transfer.folder.path("x")).unwrap();
        transfer.assert_whole(form);
    }
}

/// What the user sees of it: a failure, or by another try the new version, whole.
#[test]
fn the_client_reports_a_change_and_never_mixes_versions() {
    let changed = contents(24 * SEGMENT, 9);
    for (retries, option) in [("0", "-q"), ("0", "--no-verify"), ("0", "--plain"), ("5", "-q")] {
        let folder = Folder::in_memory().with_sparse("x", changed.len() as u64, &[(0, b"begin")]);
        let server = share(&folder, &[]);
        let proxy = Proxy::start(server.address(), &[Fault::Pause(3 << 20)]);
        let target = Folder::in_memory();
        let client = begin(&proxy.at(), &target, &["x", option, "--retries", retries]).spawn();
        proxy.stalled();
        folder.write("x", &changed);
        proxy.let_go();
        let client = client.finish();
        if retries == "0" {
            // If what went out last is not what was hashed, the digest may tell before the reset.
            client.exits(1).says(&["reset", "do not match their digest"]);
            assert!(!target.has("x"));
        } else {
            client.exits(0);
            target.assert_holds("x", &changed);
        }
        drop(proxy);
        server.stop().says(&CHANGED);
    }
}
