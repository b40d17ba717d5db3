//! The line: what is completed, searched, pasted.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use barewire_tests::harness::Peer;
use barewire_tests::harness::sockets::{read_line, read_to_end};

use super::screen::Terminal;
use super::terminal::welcome;

/// A server that says something for each line that it is sent, and gives them all in the end.
fn echoing() -> Peer<Vec<String>> {
    Peer::tcp(|mut stream: TcpStream| {
        welcome(&mut stream);
        stream.write_all(b"anna: hi\nbob: hi\n* Antonia joined\n").unwrap();
        let mut answers = stream.try_clone().unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        let lines = lines
            .inspect(|line| answers.write_all(format!("* heard {line}\n").as_bytes()).unwrap());
        lines.collect()
    })
}

fn started(server: &Peer<Vec<String>>) -> Terminal {
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("*** Antonia joined");
    terminal
}

#[test]
fn nicks_and_commands_are_completed() {
    let server = echoing();
    let mut terminal = started(&server);
    terminal.press("an\t");
    terminal.wait_for_line("eve> anna:");
    terminal.press("\t");
    terminal.wait_for_line("eve> Antonia:");
    terminal.press("\x1b[Z");
    terminal.wait_for_line("eve> anna:");
    terminal.press("ask b\t");
    terminal.wait_for_line("eve> anna: ask bob");
    terminal.press("\x15/w\t");
    terminal.wait_for_line("eve> /who");
    terminal.press("\r\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), ["/who"]);
}

#[test]
fn own_lines_are_searched() {
    let server = echoing();
    let mut terminal = started(&server);
    for line in ["one fish", "two FISH", "three"] {
        terminal.press(&format!("{line}\r"));
        terminal.wait_for_row(&format!("*** heard {line}"));
    }
    terminal.press("half\x12fi");
    terminal.wait_for_line("search 'fi': two FISH");
    terminal.press("\x12");
    terminal.wait_for_line("search 'fi': one fish");
    terminal.press("x");
    terminal.wait_for_line("not found 'fix':");
    terminal.press("\x1b");
    terminal.wait_for_line("eve> half");
    terminal.press("\x12ne\x05!\r");
    terminal.wait_for_row("*** heard one fish!");
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), ["one fish", "two FISH", "three", "one fish!"]);
}

#[test]
fn several_lines_are_sent_as_several_after_one_look() {
    let server = echoing();
    let mut terminal = started(&server);
    terminal.press("half");
    let paste = |text: &str| format!("\x1b[200~{text}\x1b[201~");
    let lines: Vec<String> = (0..12).map(|number| format!("line {number}")).collect();
    terminal.press(&paste(&lines.join("\r")));
    terminal.wait_for_line("paste of 12 lines: Enter sends, Esc drops");
    terminal.press("\x1b");
    terminal.wait_for_line("eve> half");
    terminal.press(&paste(&format!("{}\n", lines.join("\n"))));
    terminal.wait_for_line("paste of 12 lines: Enter sends, Esc drops");
    terminal.press("ignored\r");
    terminal.wait_for_row("*** heard line 11");
    terminal.wait_for_line("eve> half");
    // One line is none.
    terminal.press(&paste(" done\n"));
    terminal.wait_for_line("eve> half done");
    terminal.press("\r\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), [&lines[..], &["half done".to_owned()]].concat());
}

#[test]
fn who_is_ignored_is_not_seen_until_that_is_undone() {
    let server = Peer::tcp(|mut stream: TcpStream| {
        welcome(&mut stream);
        stream.write_all(b"anna: one\n").unwrap();
        for number in ["two", "three"] {
            assert_eq!(read_line(&mut stream), number);
            let lines = format!("anna: {number}\n(private) anna: psst\nbob: {number}\n");
            stream.write_all(lines.as_bytes()).unwrap();
        }
        read_to_end(&mut stream)
    });
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("anna: one");
    terminal.press("/ignore ANNA\r/ignore\r");
    terminal.wait_for("ignored: ANNA");
    terminal.press("two\r");
    terminal.wait_for_row("bob: two");
    assert!(!terminal.rows().iter().any(|row| row.contains("anna: two") || row.contains("psst")));
    terminal.press("/unignore anna\rthree\r");
    terminal.wait_for_row("bob: three");
    assert!(terminal.rows().contains(&"anna: three".to_owned()));
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), "");
}

#[test]
fn the_bell_rings_for_who_is_called_if_asked_to() {
    for (options, expected) in [(&["--bell"][..], true), (&[], false)] {
        let server = Peer::tcp(|mut stream: TcpStream| {
            welcome(&mut stream);
            assert_eq!(read_line(&mut stream), "hi");
            stream.write_all(b"anna: hi eve\nanna: end\n").unwrap();
            read_to_end(&mut stream)
        });
        let mut terminal = Terminal::start(&server.at(), options);
        terminal.wait_for_line("eve>");
        terminal.press("hi\r");
        terminal.wait_for_row("anna: end");
        // What is drawn later comes after the bell.
        terminal.press("x");
        terminal.wait_for_line("eve> x");
        assert!(terminal.rows().contains(&"!anna: hi eve".to_owned()));
        assert_eq!(terminal.bells > 0, expected);
        terminal.press("\x15\x04");
        assert_eq!(terminal.finish(), Some(0));
        server.finish();
    }
}
