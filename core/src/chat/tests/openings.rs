use super::*;

const WORD: &str = "* this is a chat room, which speaks neither HTTP nor TLS\n|.";

const REQUEST: &str = "POST /api HTTP/1.1\r\nHost: example.org\r\nContent-Length: 6\r\n\r\nspeak\n";

/// What a client of TLS says first.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x0a\x01\x00\x02\x06\x03\x03/msg guest2 hi\n";

#[test]
fn whoever_speaks_another_protocol_is_told_so_and_nobody_hears_of_it() {
    for bytes in [REQUEST.as_bytes(), CLIENT_HELLO] {
        for step in [1, 2, 3, bytes.len()] {
            let mut memory = wide();
            let mut hand = Harness::new(memory.room(no_limit()));
            let [browser, bert] = hand.join_members();
            for part in bytes.chunks(step) {
                assert_eq!(hand.say(browser, part), "");
            }
            assert_eq!(hand.read(browser), WORD);
            assert_eq!(Protocol::Http.refusal(), WORD.strip_suffix("|."));
            assert_eq!(hand.read(bert), "");
            let foreign = [browser, bert].map(|id| hand.room.member(id).unwrap().is_foreign());
            assert_eq!(foreign, [true, false]);
        }
    }
}

/// Its headers are not said either.
#[test]
fn a_request_whose_line_is_too_long_is_one_as_well() {
    let line = format!("GET /{} HTTP/1.1", "x".repeat(DEFAULT_MAX_TEXT.into()));
    for (before, step) in [("", 1), ("", 3), ("", 600), ("", 4_096), ("\r\n", 1), ("\r\n", 4_096)] {
        let request = format!("{before}{line}\r\nHost: example.org\r\n\r\n");
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [browser, bert] = hand.join_members();
        for part in request.as_bytes().chunks(step) {
            assert_eq!(hand.say(browser, part), "");
        }
        assert_eq!((hand.read(browser), hand.read(bert)), (WORD.to_owned(), String::new()));
        assert!(hand.room.member(browser).unwrap().is_foreign());
    }
}

/// Too long, too late, or too long while others waited.
#[test]
fn a_first_line_that_is_refused_is_the_first() {
    let long = "GET well soon ".repeat(100) + "\n";
    for refused_by in ["length", "time", "others"] {
        let mut memory = ample(4, 1);
        let mut hand = Harness::new(memory.room(no_limit().with_quiet(Duration::MAX)));
        let [anna, bert] = hand.join_members();
        match refused_by {
            "length" => assert_eq!(hand.say(anna, &long), ""),
            "time" => {
                hand.say(anna, "unfin");
                assert_eq!(hand.wait(anna, 10_000), "");
                hand.say(anna, "ished\n");
            }
            _ => {
                hand.say(anna, "unfin");
                assert_eq!(hand.offer(bert, b"x").1, 1);
                assert_eq!(hand.wait(bert, 250), "");
                hand.say(anna, "ished\n");
            }
        }
        assert!(hand.read(anna).ends_with("refused\n"), "{refused_by}");
        assert_eq!(hand.say(anna, "GET / HTTP/1.1\n"), "guest1: GET / HTTP/1.1\n");
    }
}

/// Its first byte waits for a buffer, and is offered again.
#[test]
fn tls_is_told_by_bytes_that_had_to_wait() {
    let mut memory = ample(4, 1);
    let mut hand = Harness::new(memory.room(no_limit().with_quiet(Duration::MAX)));
    let [scanner, bert] = hand.join_members();
    hand.say(bert, "x");
    for _ in 0..2 {
        assert_eq!(hand.offer(scanner, &CLIENT_HELLO[..1]).1, 1);
    }
    hand.say(bert, "\n");
    for part in CLIENT_HELLO.chunks(1) {
        assert_eq!(hand.say(scanner, part), "");
    }
    assert_eq!(hand.read(scanner), format!("guest2: x\n{WORD}"));
    assert_eq!(hand.read(bert), "");
}

/// Wherever it is, as long as the first line has come in ten seconds after its first byte.
#[test]
fn no_pause_makes_a_line_of_a_request() {
    for (request, ends) in [
        (REQUEST.as_bytes(), false),
        (b"\r\nGET / HTTP/1.0\n", false),
        (b"HEAD http://example.org/ HTTP/1.0", true),
        (b"CONNECT example.org:443 HTTP/1.1\r", true),
        (CLIENT_HELLO, false),
    ] {
        for cut in 1..request.len() {
            let mut memory = wide();
            let mut hand = Harness::new(memory.room(no_limit()));
            let [browser, bert] = hand.join_members();
            assert_eq!(hand.say(browser, &request[..cut]), "");
            for millis in [200, 9_000, 9_999] {
                assert_eq!(hand.wait(browser, millis), "");
            }
            assert_eq!(hand.say(browser, &request[cut..]), "");
            if ends {
                assert_eq!(hand.end(browser), "");
            }
            assert_eq!((hand.read(browser), hand.read(bert)), (WORD.to_owned(), String::new()));
        }
    }
}

/// It was late itself, or kept others waiting: what follows it is not said either.
#[test]
fn a_request_whose_line_was_refused_is_one_as_well() {
    for is_late in [true, false] {
        for start in ["G", "GET /", "GET / HTTP/1.1\r"] {
            let mut memory = ample(4, 1);
            let mut hand = Harness::new(memory.room(no_limit().with_quiet(Duration::MAX)));
            let [browser, bert] = hand.join_members();
            hand.say(browser, start);
            if is_late {
                assert_eq!(hand.wait(browser, 10_000), "");
            } else {
                assert_eq!(hand.offer(bert, b"x").1, 1);
                assert_eq!(hand.wait(bert, 250), "");
            }
            let rest = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".strip_prefix(start).unwrap();
            assert_eq!(hand.say(browser, rest), "");
            let told = hand.read(browser);
            assert!(told.contains("it was refused\n") && told.ends_with(WORD), "{told}");
            assert_eq!(hand.read(bert), "");
        }
    }
}

/// At once, or as soon as its time is over.
#[test]
fn a_request_that_only_silence_ends_is_one_as_well() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [browser, bert] = hand.join_members();
    hand.say(browser, "GET / HTTP/1.0");
    assert_eq!(hand.deadline(browser), Some(at(10_000)));
    assert_eq!(hand.wait(browser, 10_000), "");
    assert_eq!((hand.read(browser), hand.read(bert)), (WORD.to_owned(), String::new()));
}

/// Of a client that sends no line feed: none is refused, and only what may become a request waits.
#[test]
fn the_first_words_of_the_simplest_clients_are_said() {
    for (text, millis) in [
        ("hello", 200),
        ("GET it?", 200),
        ("GETTING it", 200),
        ("POSTED", 200),
        ("get / HTTP/1.1", 200),
        ("POST", 10_000),
        ("G", 10_000),
        ("GET /", 10_000),
        ("\x16", 10_000),
    ] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        assert_eq!(hand.say(anna, text), "");
        assert_eq!(hand.wait(anna, millis - 1), "", "{text}");
        let said = format!("guest1: {}\n", printable(text));
        assert_eq!(hand.wait(anna, millis), said);
        // From then on silence ends it as it does any other.
        assert_eq!(hand.say(anna, "POST"), "");
        assert_eq!(hand.wait(anna, millis + 200), "guest1: POST\n");
        assert_eq!(hand.read(bert), said + "guest1: POST\n");
    }
}

/// Its owner has looked at what it begins with, for as long.
#[test]
fn who_is_expected_to_send_lines_waits_for_nothing() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.member(anna).expect_lines();
    hand.say(anna, "POST");
    assert_eq!(hand.wait(anna, 200), "guest1: POST\n");
    assert_eq!(hand.say(anna, "GET / HTTP/1.1\n"), "guest1: GET / HTTP/1.1\n");
    assert!(hand.read(bert).ends_with("guest1: GET / HTTP/1.1\n"));
}

#[test]
fn honest_texts_are_said() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    for text in ["GET well soon", "GET / HTTP/1.1", "\x16\x03 looks odd"] {
        assert_eq!(hand.say(anna, format!("{text}\n")), format!("guest1: {}\n", printable(text)));
    }
    assert_eq!(
        hand.say(bert, "\n \n/me waves\nGET / HTTP/1.1\n"),
        "guest2: /me waves\nguest2: GET / HTTP/1.1\n"
    );
    assert!([anna, bert].into_iter().all(|id| !hand.room.member(id).unwrap().is_foreign()));
    let server = hand.room.operator();
    assert_eq!(hand.say(server, "GET / HTTP/1.1\n"), "server: GET / HTTP/1.1\n");
}

fn printable(text: &str) -> String {
    crate::printable::printable(text.as_bytes()).to_string()
}
