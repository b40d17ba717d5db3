extern crate std;
use super::*;
use std::collections::VecDeque;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// A reader with unbounded memory: what it must get of what stands in the backlog.
struct Reader {
    index: u32,
    at: u64,
    expected: VecDeque<u8>,
}

fn read(backlog: &Log<'_>, from: u64, to: u64) -> Vec<u8> {
    let (head, tail) = backlog.slices(from, to);
    [head, tail].concat()
}

fn write(backlog: &mut Log<'_>, route: Route, parts: &[&str]) {
    let Some(mut out) = backlog.begin(route) else { return };
    for part in parts {
        out.text(part);
    }
    out.finish();
}

/// A generator of pseudo-random numbers, by Marsaglia's xorshift.
fn next(state: &mut u64, below: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % below
}

/// Random lines, routes and readers, against queues that hold everything.
#[test]
fn readers_get_what_is_for_them_once_and_in_order() {
    let (mut waited, mut wrapped) = (0, 0);
    for seed in 1..400_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (capacity, lines) = (40 + next(&mut state, 200), 3 + next(&mut state, 20));
        let mut bytes = vec![0; usize::try_from(capacity).unwrap()];
        let mut marks = vec![LogEntry::NONE; usize::try_from(lines).unwrap()];
        let mut backlog = Log::new(&mut bytes, &mut marks);
        let mut readers: Vec<_> =
            (0..3).map(|index| Reader { index, at: 0, expected: VecDeque::new() }).collect();
        for number in 0..300 {
            let [who, to] = [4, 3].map(|below| u32::try_from(next(&mut state, below)).unwrap());
            let route = match next(&mut state, 4) {
                0 => Route::private(to),
                1 => Route::notice(who),
                _ => Route::said(who),
            };
            let filler = usize::try_from(next(&mut state, 24)).unwrap();
            let text = format!("{number}{}", "é".repeat(filler / 2));
            let least = backlog.least(text.len() + 1, 1);
            let floor = readers.iter().map(|reader| reader.at).min().unwrap();
            let has_room = backlog.make_room(text.len() + 1, 1, floor);
            assert_eq!(has_room, floor >= least, "those in the way are the ones that are behind");
            if has_room {
                write(&mut backlog, route, &[&text]);
                for reader in &mut readers {
                    let mark = LogEntry { start: 0, from: route.from, to: route.to };
                    if View::Live(reader.index).shows(&mark) {
                        reader.expected.extend(text.bytes().chain([b'\n']));
                    }
                }
            } else {
                waited += 1;
            }
            for reader in &mut readers {
                let view = View::Live(reader.index);
                reader.at = backlog.seek(reader.at, u64::MAX, view);
                let end = backlog.run(reader.at, u64::MAX, view);
                wrapped += usize::from(!backlog.slices(reader.at, end).1.is_empty());
                let count = next(&mut state, 30).min(end - reader.at);
                let got = read(&backlog, reader.at, reader.at + count);
                reader.at += count;
                assert!(reader.expected.drain(..got.len()).eq(got), "seed {seed}");
            }
        }
        for reader in &mut readers {
            let view = View::Live(reader.index);
            let mut got = Vec::new();
            loop {
                reader.at = backlog.seek(reader.at, u64::MAX, view);
                let end = backlog.run(reader.at, u64::MAX, view);
                if end == reader.at {
                    break;
                }
                got.extend(read(&backlog, reader.at, end));
                reader.at = end;
            }
            assert!(reader.expected.drain(..).eq(got), "seed {seed}");
        }
    }
    assert!(waited > 1000 && wrapped > 1000, "{waited} {wrapped}");
}

#[test]
fn a_line_that_does_not_fit_is_cut_and_harms_no_other() {
    let (mut bytes, mut marks) = ([0; 16], [LogEntry::NONE; 4]);
    let mut backlog = Log::new(&mut bytes, &mut marks);
    write(&mut backlog, Route::said(1), &["0123456789"]);
    write(&mut backlog, Route::said(1), &["ab", "too long", "c"]);
    write(&mut backlog, Route::said(1), &["x"]);
    write(&mut backlog, Route::said(1), &["y"]);
    assert_eq!(read(&backlog, 0, backlog.end()), b"0123456789\nab\nx\n");
    // No more room, for lines or for bytes.
    write(&mut backlog, Route::said(1), &["z"]);
    assert_eq!(backlog.end(), 16);
    assert!(!backlog.make_room(17, 1, u64::MAX) && !backlog.make_room(1, 5, u64::MAX));
    let mut nothing = Log::new(&mut [], &mut []);
    write(&mut nothing, Route::said(1), &["z"]);
    assert_eq!((nothing.end(), nothing.make_room(1, 1, 0)), (0, false));
}

#[test]
fn history_is_what_was_said_at_last_and_fits() {
    let (mut bytes, mut marks) = ([0; 200], [LogEntry::NONE; 40]);
    let mut backlog = Log::new(&mut bytes, &mut marks);
    for number in 0..30 {
        let route = match number % 3 {
            0 => Route::private(1),
            1 => Route::notice(1),
            _ => Route::said(1),
        };
        assert!(backlog.make_room(3, 1, u64::MAX));
        write(&mut backlog, route, &[&format!("{number:02}")]);
    }
    let said = |count: u16| {
        let mut at = backlog.history(count, 0, 0);
        let mut got = String::new();
        loop {
            at = backlog.seek(at, u64::MAX, View::History);
            let end = backlog.run(at, u64::MAX, View::History);
            if at == end {
                return got;
            }
            got += core::str::from_utf8(&read(&backlog, at, end)).unwrap();
            at = end;
        }
    };
    assert_eq!((said(0), said(2)), (String::new(), "26\n29\n".into()));
    // Half of the backlog is as far back as it goes.
    assert_eq!(said(99), "11\n14\n17\n20\n23\n26\n29\n");
}

#[test]
fn a_line_that_finds_no_room_harms_no_other() {
    let (mut bytes, mut marks) = ([0; 32], [LogEntry::NONE; 2]);
    let mut backlog = Log::new(&mut bytes, &mut marks);
    write(&mut backlog, Route::said(1), &["one"]);
    write(&mut backlog, Route::said(1), &["two"]);
    assert!(backlog.begin(Route::said(1)).is_none());
    assert_eq!(backlog.seek(0, u64::MAX, View::Live(2)), 0);
    assert_eq!(read(&backlog, 0, backlog.end()), b"one\ntwo\n");
}

/// Even one that it would not be shown.
#[test]
fn who_has_begun_a_line_reads_it_to_its_end() {
    let (mut bytes, mut marks) = ([0; 32], [LogEntry::NONE; 4]);
    let mut backlog = Log::new(&mut bytes, &mut marks);
    write(&mut backlog, Route::said(1), &["mine"]);
    write(&mut backlog, Route::said(2), &["yours"]);
    assert_eq!(backlog.seek(0, u64::MAX, View::Live(1)), 5, "nobody hears itself");
    assert_eq!(backlog.seek(2, u64::MAX, View::Live(1)), 2);
}

#[test]
fn the_middle_has_half_of_all_on_either_side() {
    for (size, lines, expected) in [(64, 64, 32), (1_024, 16, 32)] {
        let (mut bytes, mut marks) = (vec![0; size], vec![LogEntry::NONE; lines]);
        let mut backlog = Log::new(&mut bytes, &mut marks);
        for _ in 0..16 {
            write(&mut backlog, Route::said(1), &["abc"]);
        }
        assert_eq!(backlog.middle(), expected, "{size} bytes");
    }
}
