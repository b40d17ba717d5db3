//! A symbolic link in the middle of a path that leads out is as good as `..`
//! (svenstaro/miniserve#1495, #1568); inside the folder links work (miniserve#498).

use std::fs;
use std::os::unix::fs::symlink;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Folder, share};

use super::Containment;

/// Beside the served folder are things that nobody outside may have.
fn house() -> Folder {
    let house = Folder::new()
        .with("private/secret", "outside")
        .with("private/deep/secret", "outside")
        .with("served/files/x", "inside")
        .with("served/x", "inside")
        .with_link("served/way-out", "../private")
        .with_link("served/files/way-out", "../../private")
        .with_link("served/way-in-through", "way-out/deep")
        .with_link("served/file-out", "../private/secret")
        .with_link("served/parent", "..")
        .with_link("served/there-and-back", "../served/files")
        .with_link("served/kernel", "/proc/self/root");
    symlink(house.path("private"), house.path("served/absolute")).unwrap();
    symlink(house.path("served/files"), house.path("served/absolute-inside")).unwrap();
    house
}

const WAYS_OUT: [&str; 13] = [
    "way-out/secret",
    "way-out/deep/secret",
    "way-out/../private/secret",
    "files/way-out/secret",
    "files/../way-out/secret",
    "way-in-through/secret",
    "file-out",
    "parent/private/secret",
    "parent/served/x",
    "there-and-back/x",
    "kernel/etc/passwd",
    "absolute/secret",
    "absolute-inside/x",
];

#[test]
fn links_that_lead_out_are_refused() {
    for containment in Containment::EACH {
        let house = house();
        let server = containment.share(house.path("served"), &[]);
        let mut stream = connect(server.address());
        for name in WAYS_OUT {
            assert_eq!(Ask::get(name).fetch(&mut stream).0.status, 2, "{name}");
            let folder = name.rsplit_once('/').map_or(name, |(folder, _)| folder);
            let status = Ask::list(folder).fetch(&mut stream).0.status;
            assert_eq!(status, 2, "the list of {folder}");
        }
        let (_, list) = Ask::list("").fetch(&mut stream);
        let list = String::from_utf8(list).unwrap();
        let names: Vec<_> = list.lines().filter_map(|line| line.rsplit('\t').next()).collect();
        assert_eq!(names, ["files/", "x"], "none of them is listed");
        drop(stream);
        server.stop();
    }
}

#[test]
fn links_inside_work() {
    for containment in Containment::EACH {
        let folder = Folder::new()
            .with("data/v1/x", "inside")
            .with_link("data/current", "v1")
            .with_link("x", "data/current/x")
            .with_link("data/v1/up", "../../x")
            .with_link("data/v1/around", "../../data/./v1/../v1/x");
        let server = containment.share(&folder, &[]);
        let mut stream = connect(server.address());
        for name in ["x", "data/current/x", "data/v1/up", "data/current/up", "data/v1/around"] {
            assert_eq!(Ask::get(name).fetch(&mut stream).1, b"inside", "{name}");
        }
        let (_, list) = Ask::list("data/current").fetch(&mut stream);
        assert_eq!(String::from_utf8(list).unwrap().lines().count(), 3);
        drop(stream);
        server.stop();
    }
}

/// The folder itself may be named through a link, absolute or not: that is the operator's word.
#[test]
fn the_folder_may_be_named_through_a_link() {
    let house = Folder::new().with("real/x", "inside");
    symlink(house.path("real"), house.path("alias")).unwrap();
    let server = share(house.path("alias"), &[]);
    assert_eq!(Ask::get("x").fetch(&mut connect(server.address())).1, b"inside");
    // And which folder it is was decided when the server began.
    fs::remove_file(house.path("alias")).unwrap();
    symlink("/etc", house.path("alias")).unwrap();
    assert_eq!(Ask::get("passwd").status(server.address()), 1);
    assert_eq!(Ask::get("x").fetch(&mut connect(server.address())).1, b"inside");
    server.stop();
}
