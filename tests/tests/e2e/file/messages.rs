//! What a person reads is about what happened, and says what to do.

use barewire_tests::harness::{Folder, share};

use super::fetch;

#[test]
fn a_name_that_leads_out_is_not_taken_for_what_may_not_be_read() {
    let folder = Folder::new().with("sub/x", "contents");
    let server = share(&folder, &["-q"]);
    let target = Folder::new();
    for options in [&["../a"][..], &["/etc/passwd"], &["a/../../b"], &["--list", "/etc"]] {
        let client = fetch(&server.at(), &target, options).exits(1);
        client.says(&["it is no name in the folder that is served"]);
    }
    let client = fetch(&server.at(), &target, &["sub"]).exits(1);
    client.says(&["permission denied (is it a file that may be read? -r downloads folders)"]);
    server.stop();
}

/// Neither advice for a single file nor the system's word for it.
#[test]
fn what_is_in_the_way_of_a_tree_is_named() {
    let folder = Folder::new().with("t/file", "contents").with("t/folder/x", "contents");
    let server = share(&folder, &["-q"]);
    let target = Folder::new().with_folder("t/file").with_link("t/folder", "..");
    let client = fetch(&server.at(), &target, &["-r", "t"]).exits(1);
    let client = client.says(&["t/file is a folder here, and a file on the server"]);
    client.says(&[
        "a file or a link has the name of the folder t/folder (no link is followed there)",
    ]);
    let client = fetch(&server.at(), &target, &["t/file", "-o", "t"]).exits(1);
    client.says(&["t is a folder (-d writes into one)"]);
    server.stop();
}
