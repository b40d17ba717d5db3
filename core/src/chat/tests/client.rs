use super::*;
use crate::session::Output;
use crate::text::{DEFAULT_QUIET, Text};
use core::fmt::Write;

type Small = Client<16, 32>;

fn client() -> Small {
    Client::new(DEFAULT_QUIET)
}

fn say(client: &mut Small, line: &str) -> Result<(), SayError> {
    client.say(Text::new(line).unwrap())
}

/// What the client hears, a line each.
fn hear(client: &mut Small, mut input: &[u8]) -> String {
    let mut heard = String::new();
    while let Ok(line) = client.handle_input(at(0), &mut input) {
        match line {
            Ok(line) => writeln!(heard, "{line:?}").unwrap(),
            Err(too_long) => writeln!(heard, "{too_long}").unwrap(),
        }
    }
    assert!(input.is_empty());
    heard
}

fn drain(client: &mut Small, step: usize) -> String {
    let mut sent = Vec::new();
    loop {
        match client.poll_transmit() {
            Output::Nothing => break,
            Output::Close => {
                sent.push(b'.');
                break;
            }
            Output::Shutdown => {
                sent.push(b'|');
                client.transmitted(at(0), 0);
            }
            Output::Bytes { head, tail, .. } => {
                assert!(!head.is_empty());
                let bytes = [head, tail].concat();
                let count = step.min(bytes.len());
                sent.extend(&bytes[..count]);
                client.transmitted(at(0), count);
            }
            Output::Contents { .. } => panic!("a chat has no contents"),
        }
    }
    String::from_utf8(sent).unwrap()
}

/// All that the client has to send, of one that has not finished.
fn drain_any<const OUT: usize, const N: usize>(client: &mut Client<OUT, N>) -> String {
    let mut sent = Vec::new();
    while let Output::Bytes { head, tail, .. } = client.poll_transmit() {
        let bytes = [head, tail].concat();
        client.transmitted(at(0), bytes.len());
        sent.extend(bytes);
    }
    String::from_utf8(sent).unwrap()
}

#[test]
fn lines_go_out_in_order_whatever_the_link_takes_and_room_is_told() {
    for step in 1..=7 {
        let mut client = client();
        let mut sent = String::new();
        for _ in 0..5 {
            assert!(client.has_room(7) && client.has_room(15) && !client.has_room(16));
            say(&mut client, "hello 1").unwrap();
            assert!(client.has_room(7) && !client.has_room(8));
            assert_eq!(say(&mut client, "too long"), Err(SayError::Full));
            say(&mut client, "hello 2").unwrap();
            assert_eq!(say(&mut client, ""), Err(SayError::Full));
            sent += &drain(&mut client, step);
        }
        assert_eq!(sent, "hello 1\nhello 2\n".repeat(5));
    }
}

#[test]
fn finishing_ends_the_direction_behind_what_was_said() {
    let mut client = client();
    say(&mut client, "bye").unwrap();
    client.finish(at(0), Duration::MAX);
    assert_eq!(say(&mut client, "x"), Err(SayError::Finished));
    assert_eq!(drain(&mut client, 2), "bye\n|");
    assert_eq!(hear(&mut client, b"anna: last\nunfin"), "\"anna: last\"\n");
    assert_eq!(format!("{:?}", client.handle_end(at(0)).unwrap().unwrap()), "\"unfin\"");
    assert_eq!(client.handle_end(at(0)), Err(nb::Error::WouldBlock));
    assert_eq!(drain(&mut client, 2), ".");
}

#[test]
fn a_server_that_ends_first_ends_it_all() {
    let mut client = client();
    say(&mut client, "never sent").unwrap();
    assert_eq!(client.handle_end(at(0)), Err(nb::Error::WouldBlock));
    assert_eq!(say(&mut client, "x"), Err(SayError::Finished));
    assert_eq!(drain(&mut client, 9), ".");
}

#[test]
fn lines_are_heard_however_they_are_cut_and_long_ones_are_told() {
    let input =
        ["a: 1\r\n", "* note\n", &"x".repeat(33), "\nb: \u{1b}\n", &"y".repeat(99), "\nc: 3\n"]
            .concat();
    for size in 1..50 {
        let mut client = client();
        let mut heard = String::new();
        for chunk in input.as_bytes().chunks(size) {
            heard += &hear(&mut client, chunk);
        }
        assert_eq!(
            heard, "\"a: 1\"\n\"* note\"\ntext too long\n\"b: \\x1b\"\ntext too long\n\"c: 3\"\n",
            "{size}"
        );
    }
}

#[test]
fn a_text_that_begins_with_a_slash_is_no_command() {
    let mut client = Client::<64, 32>::new(DEFAULT_QUIET);
    client.say(Text::new("/me waves").unwrap()).unwrap();
    client.say(Text::new("//").unwrap()).unwrap();
    client.say_fmt(format_args!("{}{} °C", "/", 21)).unwrap();
    client.say_fmt(format_args!("{}", "")).unwrap();
    assert_eq!(drain_any(&mut client), "//me waves\n///\n//21 °C\n\n");
}

#[test]
fn commands_go_out_as_a_room_reads_them() {
    let mut client = Client::<128, 32>::new(DEFAULT_QUIET);
    client.command(Text::new("/who").unwrap()).unwrap();
    client.act(Text::new("waves").unwrap()).unwrap();
    client.say_to("anna", Text::new("/psst").unwrap()).unwrap();
    client.rename("Bert-2").unwrap();
    assert_eq!(drain_any(&mut client), "/who\n/me waves\n/msg anna /psst\n/nick Bert-2\n");
    for nick in ["", "a b", "a\nb", " a", "a:"] {
        assert_eq!(client.rename(nick), Err(SayError::Nick), "{nick:?}");
        let text = Text::new("the key is hunter2").unwrap();
        assert_eq!(client.say_to(nick, text), Err(SayError::Nick), "{nick:?}");
    }
    assert_eq!(drain_any(&mut client), "");
}

/// A value that cannot be displayed.
struct Broken;

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("half")?;
        Err(core::fmt::Error)
    }
}

/// What can never be said is told from what cannot be said now, and leaves nothing behind.
#[test]
fn a_line_goes_out_whole_or_not_at_all() {
    let mut client = client();
    say(&mut client, "waits").unwrap();
    for (text, expected) in [
        ("0123456789", Err(SayError::Full)),
        ("0123456789abcde", Err(SayError::Full)),
        ("0123456789abcdef", Err(SayError::TooLong)),
        ("/123456789abcde", Err(SayError::TooLong)),
    ] {
        assert_eq!(say(&mut client, text), expected, "{text}");
        assert_eq!(client.say_fmt(format_args!("{text}")), expected, "{text}");
    }
    assert_eq!(client.act(Text::new("0123456789ab").unwrap()), Err(SayError::TooLong));
    for text in ["a\nb", "a\r"] {
        assert_eq!(client.say_fmt(format_args!("{text}")), Err(SayError::LineBreak), "{text:?}");
    }
    assert_eq!(client.say_fmt(format_args!("{Broken}")), Err(SayError::Format));
    say(&mut client, "012345678").unwrap();
    assert_eq!(drain(&mut client, 5), "waits\n012345678\n");
    // Longer than any text may be, whatever room there is.
    let mut client = Client::<4096, 32>::new(DEFAULT_QUIET);
    let longest = "x".repeat(MAX_TEXT);
    client.say(Text::new(&longest).unwrap()).unwrap();
    assert_eq!(client.say_fmt(format_args!("{longest}y")), Err(SayError::TooLong));
    assert_eq!(client.say_to("a", Text::new(&longest).unwrap()), Err(SayError::TooLong));
}

#[test]
fn silence_ends_a_line_of_a_server_that_sends_no_terminators() {
    let mut client = client();
    assert_eq!(hear(&mut client, b"hello"), "");
    assert_eq!(client.poll_deadline(), Some(at(200)));
    assert_eq!(client.handle_timeout(at(199)), Err(nb::Error::WouldBlock));
    let line = client.handle_timeout(at(200)).unwrap().unwrap();
    assert_eq!((line.kind, line.printable().to_string()), (Kind::Other, "hello".to_owned()));
    assert_eq!(client.handle_timeout(at(200)), Err(nb::Error::WouldBlock));
    assert_eq!(client.poll_deadline(), None);
}

/// A room ends all its lines: the pause is the link's, and what follows is no notice.
#[test]
fn silence_ends_no_line_of_a_server_that_has_sent_a_line_feed_or_its_welcome() {
    let welcome = "* welcome to barewire chat, you are guest1 (/help)";
    for first in ["hello\n", "\n", &format!("{welcome}\n"), welcome] {
        let mut client = Client::<16, 64>::new(DEFAULT_QUIET);
        let _ = client.handle_input(at(0), &mut first.as_bytes());
        if first == welcome {
            let line = client.handle_timeout(at(200)).unwrap().unwrap();
            assert_eq!(line.welcome(), Some("guest1"));
        }
        assert_eq!(
            client.handle_input(at(200), &mut &b"victor: hi"[..]),
            Err(nb::Error::WouldBlock)
        );
        assert_eq!(client.poll_deadline(), None, "after {first:?}");
        assert_eq!(client.handle_timeout(at(60_000)), Err(nb::Error::WouldBlock));
        let line = client.handle_input(at(60_000), &mut &b"* anna left\n"[..]).unwrap().unwrap();
        assert_eq!(line.to_str(), Ok("victor: hi* anna left"), "after {first:?}");
    }
}

/// The client reads every kind of line that a room writes.
#[test]
fn a_client_understands_a_room() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let anna = hand.join().unwrap();
    let bert = hand.join().unwrap();
    hand.say(bert, "/nick Bert-2\nhello: you\n/me waves: twice\n/msg guest1 psst: x\n* guest9 joined\n(private) server: hi\n/me left (fell behind)\n//me nods\n/msg guest1 /me nods\n//me \n");
    let sent = hand.read(anna);
    let lines: Vec<_> = sent.lines().map(|line| Line::read(line.as_bytes())).collect();
    assert_eq!(lines[0].welcome(), Some("guest1"));
    let told: Vec<_> = lines
        .iter()
        .map(|line| match line.kind {
            Kind::Said { nick, text } => format!("{nick} said {text}"),
            Kind::Acted { nick, text } => format!("{nick} does: {text}"),
            Kind::Private { nick, text } => format!("{nick} told {text}"),
            Kind::Notice(text) => format!("notice {text}"),
            Kind::Other => "other".to_owned(),
        })
        .collect();
    assert_eq!(
        told[1..],
        [
            "notice guest2 joined",
            "notice guest2 is now Bert-2",
            "Bert-2 said hello: you",
            "Bert-2 does: waves: twice",
            "Bert-2 told psst: x",
            // No notice and no private line is forged.
            "Bert-2 said * guest9 joined",
            "Bert-2 said (private) server: hi",
            "Bert-2 does: left (fell behind)",
            // Written out, it is the same.
            "Bert-2 does: nods",
            "Bert-2 told /me nods",
            "Bert-2 said /me ",
        ]
    );
    for line in ["", ": x", "-a: x", "a b: x", "(private) : x", "x", "*a: x"] {
        assert_eq!(Line::read(line.as_bytes()).kind, Kind::Other, "{line}");
    }
    assert_eq!(Line::read(b"* welcome to barewire chat, you are a b (/help)").welcome(), None);
    assert!(Line::read(b"* too fast: your lines are refused").is_refusal());
    for line in [&b"too fast: "[..], b"anna: * too fast: ", b"* anna is too fast: "] {
        assert!(!Line::read(line).is_refusal());
    }
    for line in [
        "* you were kicked by the operator",
        "* you are banned from this room",
        "* you are banned from this room until 2030-01-02T03:04:05Z",
    ] {
        assert!(Line::read(line.as_bytes()).is_dismissal());
        assert!(!Line::read(format!("anna: {line}").as_bytes()).is_dismissal());
    }
}
