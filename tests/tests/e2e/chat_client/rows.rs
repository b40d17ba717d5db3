//! What is drawn: rows, and the line that is typed.

use std::io::Write;
use std::net::TcpStream;

use barewire_tests::harness::Peer;
use barewire_tests::harness::sockets::read_to_end;
use nix::sys::signal::Signal;

use super::screen::Terminal;

/// A server that sends `text` and then listens.
fn saying(text: &str) -> Peer<String> {
    let text = text.to_owned();
    Peer::tcp(move |mut stream: TcpStream| {
        stream.write_all(text.as_bytes()).unwrap();
        read_to_end(&mut stream)
    })
}

/// What a terminal would obey is there to be read.
#[test]
fn nobody_steers_the_terminal_of_somebody_else() {
    let harm = "\x1b]0;title\x07\u{9b}2J\u{202e}";
    let server = saying(&format!("anna: {harm}\n* ben{harm} joined\nanna: end\n"));
    let mut terminal = Terminal::start(&server.at(), &["--color", "never"]);
    terminal.wait_for("end");
    let rows = terminal.plain_rows();
    let shown = r"\x1b]0;title\x07\u{9b}2J\u{202e}";
    let times = rows.iter().filter(|row| row.contains(shown)).count();
    assert_eq!(times, 2, "{rows:#?}");
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    server.finish();
}

/// Padding that ends with a row at a width, and then looks like one of somebody else's.
#[test]
fn nobody_draws_a_row_of_somebody_elses_at_any_width() {
    for columns in [10, 40, 41, 80] {
        let left = usize::from(columns).saturating_sub("12:00 anna: ".len());
        let forged = format!("{}12:00 bob: it was me", "x".repeat(left));
        let marked = format!("{}12:00 bob: and me", "e\u{301}".repeat(left));
        let server = saying(&format!("anna: {forged}\nanna: {marked}\nanna: end\n"));
        let mut terminal =
            Terminal::start_sized((columns, 24), &server.at(), &["--color", "never"]);
        terminal.wait_for("end");
        let rows = terminal.plain_rows();
        let at_the_edge = rows.iter().filter(|row| !row.starts_with(' ') && !row.is_empty());
        let owners = at_the_edge.map(|row| row.split(' ').nth(1).unwrap_or(""));
        let owners: Vec<&str> = owners.map(|owner| owner.trim_end_matches(':')).collect();
        assert_eq!(owners, ["anna", "anna", "anna", ""], "{columns}: {rows:#?}");
        terminal.press("\x04");
        assert_eq!(terminal.finish(), Some(0));
        server.finish();
    }
}

/// Scripts whose letters join, marks, and emoji of several characters (unicode-width#88).
#[test]
fn the_cursor_is_where_the_terminal_has_it() {
    let server = saying("hello\n");
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("hello");
    for (left, right) in [
        ("لا إله", "سلام"),
        ("e\u{301}a\u{308}", "n\u{303}"),
        ("\u{2764}\u{fe0f}", "\u{263a}\u{fe0f}"),
        ("👩\u{200d}🚀", "🇩🇪"),
        ("日本", "語"),
    ] {
        let line = format!("> {left} {right}");
        terminal.press(&line[2..]);
        terminal.wait_for_line(&line);
        terminal.press("\x01");
        terminal.wait_for_cursor(|(column, _)| column == 2);
        // Character by character, as a person sees them, to where the second part begins.
        while terminal.left_of_cursor() != format!("> {left} ") {
            let before = terminal.cursor();
            terminal.press("\x06");
            terminal.wait_for_cursor(|cursor| cursor != before);
            let left_of = terminal.left_of_cursor();
            assert!(line.starts_with(&left_of), "{left_of:?} of {line:?}");
        }
        terminal.press("\x05\x15");
        terminal.wait_for_line(">");
    }
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    server.finish();
}

#[test]
fn a_window_that_changes_while_a_line_is_typed_leaves_what_was_said_whole() {
    let lines: Vec<String> = (0..20).map(|number| format!("anna: {number}")).collect();
    let server = saying(&format!("{}\n", lines.join("\n")));
    let mut terminal = Terminal::start_sized((80, 10), &server.at(), &[]);
    terminal.wait_for_row("anna: 19");
    let typed = "0123456789".repeat(6);
    terminal.press(&typed);
    terminal.wait_for_line(&format!("> {typed}"));
    for columns in [30, 20, 80, 25, 100] {
        terminal.resize(columns, 10);
        let shown = usize::from(columns - 3).min(typed.len());
        let line = format!("> {}", &typed[typed.len() - shown..]);
        terminal.wait_for_line(&line);
        let rows = terminal.rows();
        assert!(rows.iter().eq(lines.iter().chain([&line])), "{columns} columns: {rows:#?}");
    }
    terminal.signal(Signal::SIGINT);
    assert_eq!(terminal.finish(), Some(130));
    server.finish();
}

/// By a terminal that breaks rows anew.
#[test]
fn rows_that_a_narrower_window_has_broken_are_looked_at_as_they_should_be() {
    let server = saying("anna: one two three four five six seven eight nine\nanna: end\n");
    let mut terminal = Terminal::start_sized((80, 10), &server.at(), &[]);
    terminal.wait_for_row("anna: end");
    terminal.resize(30, 10);
    terminal.press("\x1b[5~");
    terminal.wait_for("Esc");
    let indented = |text: &str| format!("{}{text}", " ".repeat("12:00 anna: ".len()));
    terminal.wait_for_row(&indented("five six seven"));
    terminal.wait_for_row(&indented("eight nine"));
    terminal.press("\x1b");
    terminal.wait_for_line(">");
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    server.finish();
}

#[test]
fn what_has_scrolled_away_is_looked_at_and_what_the_terminal_keeps_stays_whole() {
    const LINES: usize = 100;

    let lines: Vec<String> = (0..LINES).map(|number| format!("anna: line {number}")).collect();
    let text = format!("{}\n", lines.join("\n"));
    let server = Peer::tcp(move |mut stream: TcpStream| {
        stream.write_all(text.as_bytes()).unwrap();
        assert_eq!(barewire_tests::harness::sockets::read_line(&mut stream), "more");
        stream.write_all(b"anna: line 100\n").unwrap();
        read_to_end(&mut stream)
    });
    let mut terminal = Terminal::start_sized((60, 12), &server.at(), &[]);
    terminal.wait_for_row("anna: line 99");
    terminal.press("more\rhalf");
    terminal.wait_for_row("anna: line 100");
    terminal.wait_for_line("> half");
    terminal.press("\x1b[5~");
    terminal.wait_for("Page Down");
    terminal.press("\x1b[5~\x1b[5~");
    terminal.wait_for_row("anna: line 70");
    terminal.press("\x1b[6~");
    terminal.wait_for_row("anna: line 81");
    terminal.press("\x1b");
    terminal.wait_for_line("> half");
    let rows = terminal.rows();
    let shown: Vec<&String> = rows.iter().filter(|row| row.starts_with("anna: ")).collect();
    let all: Vec<String> = (0..=LINES).map(|number| format!("anna: line {number}")).collect();
    assert!(shown.into_iter().eq(&all), "{rows:#?}");
    terminal.press("\x15\x04");
    assert_eq!(terminal.finish(), Some(0));
    server.finish();
}
