extern crate std;
use super::reader::ends_inside_sequence;
use super::*;
use crate::time::{Duration, Instant};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec as StdVec;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// What a reader of capacity 8 makes of `chunks`, each as it is shown, with the end of the stream
/// after the last.
fn read(chunks: &[&[u8]]) -> StdVec<String> {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    let mut heard = vec![];
    let mut note = |result: nb::Result<Text<'_>, TextReaderError>| {
        heard.push(match result {
            Ok(text) => text.to_string(),
            Err(nb::Error::Other(TextReaderError::TooLong)) => "too long".into(),
            Err(nb::Error::WouldBlock) => return false,
        });
        true
    };
    for chunk in chunks {
        let mut input = *chunk;
        while note(reader.handle_input(at(0), &mut input)) {}
        assert!(input.is_empty());
    }
    while note(reader.handle_end()) {}
    heard
}

#[test]
fn a_text_ends_at_a_line_feed_or_the_end_of_the_stream() {
    assert_eq!(read(&[b"one\ntwo\r\n\nlast"]), ["one", "two", "", "last"]);
    assert_eq!(read(&[b"one\n"]), ["one"]);
    assert_eq!(read(&[b""]), [""; 0]);
}

#[test]
fn a_carriage_return_is_dropped_only_before_a_line_feed() {
    assert_eq!(read(&[b"a\rb\r\n"]), [r"a\x0db"]);
    assert_eq!(read(&[b"a\r", b"\n"]), ["a"]);
    assert_eq!(read(&[b"a\r\r", b"\n"]), [r"a\x0d"]);
    assert_eq!(read(&[b"\r", b"\r\n"]), [r"\x0d"]);
    assert_eq!(read(&[b"a\r", b"b"]), [r"a\x0db"]);
    assert_eq!(read(&[b"a\r"]), [r"a\x0d"]);
}

#[test]
fn a_text_of_exactly_the_capacity_fits_whatever_its_terminator() {
    assert_eq!(read(&[b"12345678\n"]), ["12345678"]);
    assert_eq!(read(&[b"12345678\r\n"]), ["12345678"]);
    assert_eq!(read(&[b"12345678\r", b"\n"]), ["12345678"]);
    assert_eq!(read(&[b"12345678"]), ["12345678"]);
}

#[test]
fn a_longer_one_is_reported_once_and_skipped_to_its_end() {
    assert_eq!(read(&[b"123456789\nnext\n"]), ["too long", "next"]);
    assert_eq!(read(&[b"12345678\r"]), ["too long"]);
    assert_eq!(read(&[b"1234", b"56789", b"0 and on", b" and on\nnext"]), ["too long", "next"]);
    assert_eq!(read(&[b"123456789 unended"]), ["too long"]);
}

#[test]
fn cutting_never_matters() {
    let streams: [&[u8]; 4] = [
        b"one\r\ntwo\r\r\n\n\rthree\n1234567890\r\nlast\r",
        "你好\n再\r\n见".as_bytes(),
        b"\r\n\r\r\n12345678\r\n12345678\r\r\n",
        b"\xff\n\xe4\xbd\n\xc3",
    ];
    for stream in streams {
        let whole = read(&[stream]);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let cut = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(read(&cut), whole, "cut at {first} and {second}");
            }
        }
        let bytes: StdVec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }
}

#[test]
fn silence_ends_a_text() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    assert_eq!(reader.poll_deadline(), None);
    let _ = reader.handle_input(at(0), &mut &b"Hel"[..]);
    let _ = reader.handle_input(at(150), &mut &b"lo"[..]);
    assert_eq!(reader.poll_deadline(), Some(at(350)));
    assert_eq!(reader.handle_timeout(at(349)), Err(nb::Error::WouldBlock));
    assert_eq!(reader.handle_timeout(at(350)).unwrap().as_bytes(), b"Hello");
    assert_eq!(reader.poll_deadline(), None);
    assert_eq!(reader.handle_timeout(at(999)), Err(nb::Error::WouldBlock));
}

/// Each of these has a line feed in it, at which a text ended.
#[test]
fn silence_ends_no_text_of_a_peer_that_has_once_sent_a_line_feed() {
    for first in [&b"one\n"[..], b"\n", b"one\r\n", b"one\ntw", b"123456789\n", b"\ntoo long, no"] {
        let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
        let mut input = first;
        while !input.is_empty() {
            let _ = reader.handle_input(at(0), &mut input);
        }
        let _ = reader.handle_input(at(0), &mut &b"..."[..]);
        assert_eq!(reader.poll_deadline(), None, "{first:?}");
        assert_eq!(reader.handle_timeout(at(60_000)), Err(nb::Error::WouldBlock));
    }
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    assert_eq!(reader.handle_input(at(0), &mut &b"one\n"[..]).unwrap().as_bytes(), b"one");
    let _ = reader.handle_input(at(0), &mut &b"hunt"[..]);
    assert_eq!(reader.handle_timeout(at(9_999)), Err(nb::Error::WouldBlock));
    let two = reader.handle_input(at(10_000), &mut &b"er2\n"[..]).unwrap();
    assert_eq!(two.as_bytes(), b"hunter2");
    // The end of the stream still is one.
    let _ = reader.handle_input(at(10_000), &mut &b"last"[..]);
    assert_eq!(reader.handle_end().unwrap().as_bytes(), b"last");
}

#[test]
fn silence_ends_every_text_of_a_peer_that_never_sends_a_line_feed() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    for second in 0..9 {
        let _ = reader.handle_input(at(1_000 * second), &mut &b"Hel\rlo"[..]);
        let text = reader.handle_timeout(at(1_000 * second + 200)).unwrap();
        assert_eq!(text.as_bytes(), b"Hel\rlo");
    }
}

#[test]
fn silence_inside_a_utf8_sequence_ends_nothing() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    let _ = reader.handle_input(at(0), &mut &b"\xe4\xbd"[..]);
    assert_eq!(reader.poll_deadline(), None);
    let _ = reader.handle_input(at(500), &mut &b"\xa0"[..]);
    assert_eq!(reader.handle_timeout(at(700)).unwrap().to_str(), Ok("你"));
    // What no byte can complete is no sequence.
    let _ = reader.handle_input(at(800), &mut &b"\xff"[..]);
    assert_eq!(reader.poll_deadline(), Some(at(1000)));
}

#[test]
fn silence_ends_the_skipping_too() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    assert!(reader.handle_input(at(0), &mut &b"123456789"[..]).is_err());
    assert_eq!(reader.poll_deadline(), Some(at(200)));
    assert_eq!(reader.handle_timeout(at(200)), Err(nb::Error::WouldBlock));
    assert_eq!(reader.handle_input(at(201), &mut &b"next\n"[..]).unwrap().as_bytes(), b"next");
}

#[test]
fn silence_inside_a_sequence_ends_no_skipping() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    assert!(reader.handle_input(at(0), &mut &b"12345678\xe4\xbd"[..]).is_err());
    assert_eq!(reader.poll_deadline(), None);
    let _ = reader.handle_input(at(500), &mut &b"\xa0 and more \xf0\x9f"[..]);
    assert_eq!(reader.poll_deadline(), None);
    let _ = reader.handle_input(at(600), &mut &b"\x98"[..]);
    assert_eq!(reader.poll_deadline(), None);
    let _ = reader.handle_input(at(700), &mut &b"\x80"[..]);
    assert_eq!(reader.poll_deadline(), Some(at(900)));
    assert_eq!(reader.handle_end(), Err(nb::Error::WouldBlock));
    assert_eq!(reader.handle_input(at(901), &mut &b"next\n"[..]).unwrap().as_bytes(), b"next");
}

#[test]
fn a_return_breaks_a_sequence_in_what_is_skipped_too() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    let _ = reader.handle_input(at(0), &mut &b"1234567\xe4\r"[..]);
    assert!(reader.handle_input(at(0), &mut &b"\xbd"[..]).is_err());
    assert_eq!(reader.poll_deadline(), Some(at(200)));
}

#[test]
fn silence_can_be_told_to_mean_nothing() {
    let mut reader = TextReader::<8>::new(Duration::MAX);
    let _ = reader.handle_input(at(0), &mut &b"Hello"[..]);
    assert_eq!(reader.poll_deadline(), None);
}

#[test]
fn a_whole_text_is_lent_from_the_input() {
    let mut reader = TextReader::<8>::new(DEFAULT_QUIET);
    let stream = b"one\ntwo";
    let mut input = &stream[..];
    let text = reader.handle_input(at(0), &mut input).unwrap();
    assert_eq!(text.as_bytes().as_ptr(), stream.as_ptr());
    assert_eq!(input, b"two");
}

#[test]
fn only_what_arrives_as_one_text_can_be_sent() {
    assert_eq!(Text::new("你好").unwrap().as_bytes(), "你好".as_bytes());
    assert_eq!(Text::new(""), Ok(Text::received(b"")));
    assert_eq!(Text::new("a\nb"), Err(TextError::LineBreak));
    assert_eq!(Text::new("a\r"), Err(TextError::LineBreak));
    assert!(Text::new("a\rb").is_ok());
    let longest = "x".repeat(MAX_TEXT);
    assert!(Text::new(&longest).is_ok());
    assert_eq!(Text::new(&(longest + "x")), Err(TextError::TooLong));
}

#[test]
fn a_sequence_is_unfinished_only_while_it_can_be_finished() {
    for (bytes, expected) in [
        (&b"\xc3"[..], true),
        (b"a\xf0\x9f\x98", true),
        (b"\xf0\x9f\x98\x80", false),
        (b"\xf0\x9f", true),
        (b"\xe4\xbd\xa0", false),
        (b"\xed\xa0", false),
        (b"\x80\x80\x80\x80", false),
        (b"\xc3(", false),
        (b"", false),
    ] {
        assert_eq!(ends_inside_sequence(bytes), expected, "{bytes:x?}");
    }
}

/// Every byte at which the rules of UTF-8 change, in every order: the oracle is the decoder's own.
#[test]
fn what_more_bytes_could_complete_is_known() {
    let bytes = [
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
        0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];
    let goes_on = |bytes: &[u8]| {
        let unfinished = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        let error = core::str::from_utf8(unfinished);
        error.is_err_and(|error| error.error_len().is_none())
    };
    for first in bytes {
        for second in bytes {
            for third in bytes {
                for text in [&[third][..], &[second, third], &[first, second, third]] {
                    assert_eq!(ends_inside_sequence(text), goes_on(text), "{text:x?}");
                }
            }
        }
    }
}
