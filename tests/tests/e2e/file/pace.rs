//! How fast contents come.

use std::time::{Duration, Instant};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::{Folder, share};

use super::fetch;

/// It is a bound from below of the time, which a busy machine cannot break.
#[test]
fn no_more_comes_in_a_second_than_the_rate_allows() {
    let whole = contents(300 << 10, 1);
    let folder = Folder::new().with("x", &whole).with("y", "small");
    let server = share(&folder, &["-q"]);
    for options in [&["x", "y"][..], &["x", "--plain"]] {
        let (target, begun) = (Folder::in_memory(), Instant::now());
        fetch(&server.at(), &target, &[options, &["--limit-rate", "1M"]].concat()).exits(0);
        assert!(begun.elapsed() > Duration::from_millis(200), "{:?}", begun.elapsed());
        target.assert_holds("x", &whole);
    }
    for wrong in ["0", "fast", "-1"] {
        let option = format!("--limit-rate={wrong}");
        fetch(&server.at(), &Folder::new(), &["x", &option]).exits(2).says(&["--limit-rate"]);
    }
    server.stop();
}
