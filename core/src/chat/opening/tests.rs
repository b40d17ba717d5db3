use super::*;
extern crate std;
use std::format;
use std::vec::Vec;

const MAX_TEXT: u16 = 32;

/// What a stream is that ends there; however it is cut, it is the same.
fn protocol(stream: &[u8]) -> Option<Protocol> {
    let mut whole = Opening::new();
    whole.read(stream, 0, MAX_TEXT);
    for cut in 0..=stream.len() {
        let mut opening = Opening::new();
        let line = stream[..cut].rsplit(|byte| *byte == b'\n').next().unwrap();
        opening.read(&stream[..cut], 0, MAX_TEXT);
        opening.read(&stream[cut..], line.len().try_into().unwrap(), MAX_TEXT);
        assert_eq!(opening, whole, "{}", stream.escape_ascii());
    }
    whole.end();
    whole.protocol()
}

#[test]
fn requests_are_told_from_texts() {
    for line in [
        "GET / HTTP/1.1",
        "POST /api?x=y HTTP/1.0",
        "PROPFIND / HTTP/1.1",
        "M-SEARCH * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT example.org:443 HTTP/1.1",
        "GET http://example.org/ HTTP/1.1",
        "GET index.html HTTP/1.0",
        "PRI * HTTP/2.0",
    ] {
        for before in ["", "\n", "\r\n\r\n", " \t\n"] {
            for end in ["\n", "\r\n", ""] {
                let stream = format!("{before}{line}{end}");
                assert_eq!(protocol(stream.as_bytes()), Some(Protocol::Http), "{stream:?}");
                let second = format!("hello\n{stream}");
                assert_eq!(protocol(second.as_bytes()), Some(Protocol::Lines), "{second:?}");
            }
        }
    }
    for line in [
        "GET it?",
        "GET well soon",
        "POST",
        "GET /",
        "GET / HTTP",
        "GET / HTTP/1.",
        "GET / HTTP/x.1",
        "GET / HTTP/1.1 says a browser",
        "get / HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET  HTTP/1.1",
        " GET / HTTP/1.1",
        "\tGET / HTTP/1.1",
        "G3T / HTTP/1.1",
        "- / HTTP/1.1",
        "HTTP/1.1",
        "hello",
    ] {
        for end in ["\n", "\r\n", ""] {
            let stream = format!("{line}{end}");
            assert_eq!(protocol(stream.as_bytes()), Some(Protocol::Lines), "{stream:?}");
        }
    }
    for stream in ["", "\n", "\r\n \n", "  "] {
        assert_eq!(protocol(stream.as_bytes()), None, "{stream:?}");
    }
}

#[test]
fn tls_begins_with_two_bytes() {
    for stream in [&b"\x16\x03"[..], b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\n"] {
        assert_eq!(protocol(stream), Some(Protocol::Tls), "{}", stream.escape_ascii());
    }
    for stream in [&b"\x16"[..], b"\x16text", b"\x16\x16\x03", b"\x03\x16\x03", b"\n\x16\x03"] {
        assert_eq!(protocol(stream), Some(Protocol::Lines), "{}", stream.escape_ascii());
    }
}

/// As long as it is a request, or may become one.
#[test]
fn a_request_that_is_too_long_is_one_all_the_same() {
    for (start, expected) in [
        ("GET /", Protocol::Http),
        ("\nGET http", Protocol::Http),
        ("CONNECT ", Protocol::Http),
        ("GET ", Protocol::Lines),
        ("GET / HTTP/1.1 ", Protocol::Lines),
        ("hello ", Protocol::Lines),
    ] {
        let fill = usize::from(MAX_TEXT) - start.trim_start().len();
        for (more, is_long) in [(0, false), (1, true), (40, true)] {
            for end in ["", "\r", "\n", "\r\n", "\r\r", " HTTP/1.1\n"] {
                let is_long = is_long || end.len() > 2 || end == "\r\r";
                let stream = format!("{start}{}{end}", "x".repeat(fill + more));
                let expected = if is_long { expected } else { Protocol::Lines };
                assert_eq!(protocol(stream.as_bytes()), Some(expected), "{stream:?}");
            }
        }
    }
}

#[test]
fn silence_waits_for_what_may_become_a_request() {
    let may_be = |bytes: &[u8]| {
        let mut opening = Opening::new();
        opening.read(bytes, 0, MAX_TEXT);
        opening.may_be_request()
    };
    let requests: Vec<_> = METHODS
        .chunks(COLUMN.into())
        .flat_map(|method| {
            ["/x", "*", "http://x"].map(|target| {
                let method = core::str::from_utf8(method.trim_ascii_end()).unwrap();
                format!("{method} {target} HTTP/1.1\r")
            })
        })
        .collect();
    for request in &requests {
        for end in 1..=request.len() {
            assert!(may_be(&request.as_bytes()[..end]), "{:?}", &request[..end]);
        }
    }
    assert!(may_be(b"\x16") && may_be(b"\r\nG") && may_be(b"PROPFIND /"));
    for text in ["", "\n", "HELLO", "GETTING", "GO", "GET it", "GET *x", "GET hi", "hello", "/who"]
    {
        assert!(!may_be(text.as_bytes()), "{text:?}");
    }
}
