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
            assert_eq!(hand.read(bert), "");
        }
    }
}

/// As long as the first line has not come in, silence may end it.
#[test]
fn a_request_that_only_silence_ends_is_one_as_well() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [browser, bert] = hand.join_members();
    hand.say(browser, "GET / HTTP/1.0");
    let quiet = hand.deadline(browser).unwrap();
    assert_eq!(hand.wait(browser, quiet.duration_since(at(0)).as_millis_ceil()), "");
    assert_eq!((hand.read(browser), hand.read(bert)), (WORD.to_owned(), String::new()));
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
    let server = hand.room.operator();
    assert_eq!(hand.say(server, "GET / HTTP/1.1\n"), "server: GET / HTTP/1.1\n");
}

fn printable(text: &str) -> String {
    crate::printable::printable(text.as_bytes()).to_string()
}
