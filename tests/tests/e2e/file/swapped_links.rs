//! A folder and a symbolic link that change places between the look and the leap (CVE-2026-43619,
//! rsync): nothing outside is ever read, however the race goes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::Folder;
use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::connect;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::Containment;

const REQUESTS: usize = 1000;
const NAMES: [&str; 4] = ["dir/x", "link/x", "real", "file-link"];
/// How long each name may take to be given and to be refused.
const ENOUGH: Duration = Duration::from_mins(1);

/// Both names exist at every moment; which is the folder and which is the link never stands still.
#[test]
fn nothing_outside_is_read_while_a_folder_and_a_link_change_places() {
    for containment in Containment::EACH {
        let house = Folder::new()
            .with("private/x", "outside")
            .with("private/only-outside", "outside")
            .with("served/dir/x", "inside")
            .with("served/real", "inside")
            .with_link("served/link", "../private")
            .with_link("served/file-link", "../private/x");
        let server = containment.share(house.path("served"), &["-q"]);
        let address = server.address();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let exchange = |one: &str, other: &str| {
                    let (one, other) = (house.path(one), house.path(other));
                    let flags = RenameFlags::RENAME_EXCHANGE;
                    renameat2(AT_FDCWD, &one, AT_FDCWD, &other, flags).expect("both are there");
                };
                while !over.load(Ordering::Relaxed) {
                    exchange("served/dir", "served/link");
                    exchange("served/real", "served/file-link");
                }
            });
            let asked = scope.spawn(|| {
                let mut stream = connect(address);
                // How often each name was given, and refused: or nothing was raced.
                let mut outcomes = [[0; 2]; NAMES.len()];
                let (mut number, began) = (0, Instant::now());
                while number < REQUESTS || outcomes.as_flattened().contains(&0) {
                    assert!(began.elapsed() < ENOUGH, "in {number} requests: {outcomes:?}");
                    let name = NAMES[number % NAMES.len()];
                    let (reply, found) = Ask::get(name).fetch(&mut stream);
                    match reply.status {
                        0 => {
                            assert_eq!(found, b"inside", "{name}");
                            outcomes[number % NAMES.len()][0] += 1;
                        }
                        1 | 2 => outcomes[number % NAMES.len()][1] += 1,
                        // It could not be resolved for so much change.
                        5 => {}
                        status => panic!("{name}: {status}"),
                    }
                    let (_, list) = Ask::list(["dir", "link", ""][number % 3]).fetch(&mut stream);
                    let list = String::from_utf8(list).expect("UTF-8");
                    assert!(!list.contains("only-outside"), "{list}");
                    number += 1;
                }
            });
            let outcome = asked.join();
            over.store(true, Ordering::Relaxed);
            outcome.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
        });
        server.stop();
    }
}
