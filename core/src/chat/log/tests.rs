extern crate std;
use super::*;
use crate::tests::random::Random;
use std::collections::VecDeque;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// A reader with unbounded memory: what it must get of what stands in the log.
struct Reader {
    index: u32,
    own: u64,
    at: u64,
    expected: VecDeque<u8>,
}

impl Reader {
    fn view(&self) -> View {
        live(self.index, self.own)
    }
}

fn live(member: u32, own: u64) -> View {
    View::Live { member, own }
}

fn read(log: &Log<'_>, from: u64, to: u64) -> Vec<u8> {
    let (head, tail) = log.slices(from, to);
    [head, tail].concat()
}

fn write(log: &mut Log<'_>, route: Route, parts: &[&str]) {
    let Some(mut out) = log.begin(route) else { return };
    for part in parts {
        out.text(part);
    }
    out.finish();
}

/// Random lines, routes and readers, against queues that hold everything.
#[test]
fn readers_get_what_is_for_them_once_and_in_order() {
    let (mut waited, mut wrapped) = (0, 0);
    for seed in 1..400_u64 {
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (capacity, lines) = (40 + random.below(200), 3 + random.below(20));
        let mut bytes = vec![0; capacity];
        let mut entries = vec![LogEntry::EMPTY; lines];
        let mut log = Log::new(&mut bytes, &mut entries);
        let mut readers: Vec<_> = (0..3)
            .map(|index| Reader { index, own: 0, at: 0, expected: VecDeque::new() })
            .collect();
        for number in 0..300 {
            let [who, to] = [4, 3].map(|below| u32::try_from(random.below(below)).unwrap());
            let route = match random.below(4) {
                0 => Route::private(to),
                1 => Route::notice(who),
                _ => Route::said(who),
            };
            let filler = random.below(24);
            let text = format!("{number}{}", "é".repeat(filler / 2));
            let least = log.first_kept(text.len() + 1, 1);
            let low_water = readers.iter().map(|reader| reader.at).min().unwrap();
            let has_room = log.make_room(text.len() + 1, 1, low_water);
            assert_eq!(
                has_room,
                low_water >= least,
                "those in the way are the ones that are behind"
            );
            if has_room {
                let start = log.end();
                write(&mut log, route, &[&text]);
                for reader in &mut readers {
                    if reader.index == route.by() {
                        reader.own = start;
                    }
                    let entry = LogEntry { start: 0, from: route.from, to: route.to };
                    if reader.view().shows(&entry) {
                        reader.expected.extend(text.bytes().chain([b'\n']));
                    }
                }
            } else {
                waited += 1;
            }
            for reader in &mut readers {
                let view = reader.view();
                reader.at = log.seek(reader.at, u64::MAX, view);
                let end = log.run_end(reader.at, u64::MAX, view);
                wrapped += usize::from(!log.slices(reader.at, end).1.is_empty());
                let count = (random.below(30) as u64).min(end - reader.at);
                let got = read(&log, reader.at, reader.at + count);
                reader.at += count;
                assert!(reader.expected.drain(..got.len()).eq(got), "seed {seed}");
            }
        }
        for reader in &mut readers {
            let view = reader.view();
            let mut got = Vec::new();
            loop {
                reader.at = log.seek(reader.at, u64::MAX, view);
                let end = log.run_end(reader.at, u64::MAX, view);
                if end == reader.at {
                    break;
                }
                got.extend(read(&log, reader.at, end));
                reader.at = end;
            }
            assert!(reader.expected.drain(..).eq(got), "seed {seed}");
        }
    }
    assert!(waited > 1000 && wrapped > 1000, "{waited} {wrapped}");
}

#[test]
fn a_line_that_does_not_fit_is_cut_and_harms_no_other() {
    let (mut bytes, mut entries) = ([0; 16], [LogEntry::EMPTY; 4]);
    let mut log = Log::new(&mut bytes, &mut entries);
    write(&mut log, Route::said(1), &["0123456789"]);
    write(&mut log, Route::said(1), &["ab", "too long", "c"]);
    write(&mut log, Route::said(1), &["x"]);
    write(&mut log, Route::said(1), &["y"]);
    assert_eq!(read(&log, 0, log.end()), b"0123456789\nab\nx\n");
    // No more room, for lines or for bytes.
    write(&mut log, Route::said(1), &["z"]);
    assert_eq!(log.end(), 16);
    assert!(!log.make_room(17, 1, u64::MAX) && !log.make_room(1, 5, u64::MAX));
    let mut nothing = Log::new(&mut [], &mut []);
    write(&mut nothing, Route::said(1), &["z"]);
    assert_eq!((nothing.end(), nothing.make_room(1, 1, 0)), (0, false));
}

#[test]
fn history_is_what_was_said_at_last_and_fits() {
    let (mut bytes, mut entries) = ([0; 200], [LogEntry::EMPTY; 40]);
    let mut log = Log::new(&mut bytes, &mut entries);
    for number in 0..30 {
        let route = match number % 3 {
            0 => Route::private(1),
            1 => Route::notice(1),
            _ => Route::said(1),
        };
        assert!(log.make_room(3, 1, u64::MAX));
        write(&mut log, route, &[&format!("{number:02}")]);
    }
    let said = |count: u16| {
        let mut at = log.history(count, log.middle());
        let mut got = String::new();
        loop {
            at = log.seek(at, u64::MAX, View::History);
            let end = log.run_end(at, u64::MAX, View::History);
            if at == end {
                return got;
            }
            got += core::str::from_utf8(&read(&log, at, end)).unwrap();
            at = end;
        }
    };
    assert_eq!((said(0), said(2)), (String::new(), "26\n29\n".into()));
    // Half of the log is as far back as it goes.
    assert_eq!(said(99), "11\n14\n17\n20\n23\n26\n29\n");
}

#[test]
fn a_line_that_finds_no_room_harms_no_other() {
    let (mut bytes, mut entries) = ([0; 32], [LogEntry::EMPTY; 2]);
    let mut log = Log::new(&mut bytes, &mut entries);
    write(&mut log, Route::said(1), &["one"]);
    write(&mut log, Route::said(1), &["two"]);
    assert!(log.begin(Route::said(1)).is_none());
    assert_eq!(log.seek(0, u64::MAX, live(2, 0)), 0);
    assert_eq!(read(&log, 0, log.end()), b"one\ntwo\n");
}

/// Even one that it would not be shown.
#[test]
fn who_has_begun_a_line_reads_it_to_its_end() {
    let (mut bytes, mut entries) = ([0; 32], [LogEntry::EMPTY; 4]);
    let mut log = Log::new(&mut bytes, &mut entries);
    write(&mut log, Route::said(1), &["mine"]);
    write(&mut log, Route::said(2), &["yours"]);
    assert_eq!(log.seek(0, u64::MAX, live(1, 0)), 5, "nobody hears itself");
    assert_eq!(log.seek(2, u64::MAX, live(1, 0)), 2);
}

#[test]
fn the_middle_has_half_of_all_on_either_side() {
    for (size, lines, expected) in [(64, 64, 32), (1_024, 16, 32)] {
        let (mut bytes, mut entries) = (vec![0; size], vec![LogEntry::EMPTY; lines]);
        let mut log = Log::new(&mut bytes, &mut entries);
        for _ in 0..16 {
            write(&mut log, Route::said(1), &["abc"]);
        }
        assert_eq!(log.middle(), expected, "{size} bytes");
    }
}
