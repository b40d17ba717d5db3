//! What a test leaves out.

use std::env;
use std::fs::File;
use std::io::{self, Write as _};

/// Says that something was not tried on this machine, where nobody overlooks it: on standard error past the capture
/// of a test's output, and in the list that CI ends with (`NOT_TRIED`). Where nothing may be left out
/// (`NOTHING_LEFT_OUT`), the test fails.
pub fn not_tried(what: &str) {
    assert!(env::var_os("NOTHING_LEFT_OUT").is_none(), "not tried: {what}");
    if let Some(list) = env::var_os("NOT_TRIED") {
        let mut list = File::options().append(true).create(true).open(list).expect("the list");
        writeln!(list, "{what}").expect("there is room");
    }
    let _ = writeln!(io::stderr(), "not tried: {what}");
}
