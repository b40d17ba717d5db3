//! A lost last word never deletes what was received (magic-wormhole#722): the whole is proven by its
//! last digest, and what becomes of the connection from then on is nobody's loss.

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{SEGMENT, on_the_wire};
use barewire_tests::harness::{Fault, Folder, Proxy, share};

use crate::file::fetch;

#[test]
fn what_comes_behind_the_last_digest_makes_no_difference() {
    let whole = contents(2 * SEGMENT, 22);
    let folder = Folder::new().with("x", &whole);
    let server = share(&folder, &[]);
    let end = on_the_wire(whole.len());
    for fault in [Fault::Stall(end), Fault::Close(end)] {
        let proxy = Proxy::start(server.address(), &[fault]);
        let target = Folder::in_memory();
        fetch(&proxy.at(), &target, &["x", "--retries", "0"]).exits(0).is_silent();
        target.assert_holds("x", &whole);
        assert_eq!(target.names(), ["x"]);
    }
    server.stop();
}

/// A byte before it, the file is not there; and what was received is not thrown away.
#[test]
fn a_download_without_its_last_byte_is_kept_and_gone_on_with() {
    let whole = contents(2 * SEGMENT, 22);
    let folder = Folder::new().with("x", &whole);
    let server = share(&folder, &[]);
    let proxy = Proxy::start(server.address(), &[Fault::Close(on_the_wire(whole.len()) - 1)]);
    let target = Folder::in_memory();
    fetch(&proxy.at(), &target, &["x", "--retries", "0"]).exits(1);
    assert_eq!(target.names(), ["x.part", "x.part.journal"]);
    let client = fetch(&proxy.at(), &target, &["x", "--json"]).exits(0);
    assert_eq!(client.event("downloaded")["resumed_from"], SEGMENT);
    target.assert_holds("x", &whole);
    server.stop();
}
