//! On a terminal.

use std::io::Write;
use std::net::TcpStream;

use barewire_tests::harness::sockets::{RefusedTcp, read_line, read_to_end, reset, with_timeouts};
use barewire_tests::harness::{Peer, run};
use nix::sys::signal::Signal;

use super::WELCOME;
use super::screen::Terminal;

pub(super) fn welcome(stream: &mut TcpStream) {
    stream.write_all(WELCOME.as_bytes()).unwrap();
    assert_eq!(read_line(stream), "/nick eve");
    stream.write_all(b"* guest1 is now eve\n").unwrap();
}

#[test]
fn the_user_is_known_by_name_and_own_lines_stay_on_the_screen() {
    let server = Peer::tcp(|mut stream| {
        welcome(&mut stream);
        let said = read_line(&mut stream);
        stream.write_all(b"anna: hi eve\n(private) anna: psst\n").unwrap();
        assert_eq!(read_to_end(&mut stream), "");
        said
    });
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_line("eve>");
    terminal.press("good x\x7f日\r");
    terminal.wait_for_row("(private) anna: psst");
    let rows = terminal.rows();
    assert!(rows.contains(&"eve: good 日".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"!anna: hi eve".to_owned()), "{rows:#?}");
    assert_eq!(terminal.bells, 0);
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), "good 日");
}

/// A person who has seen it may still leave in order.
#[test]
fn a_line_of_the_servers_that_is_too_long_is_told() {
    let server = Peer::tcp(|mut stream| {
        stream.write_all(format!("{}\nanna: hi\n", "x".repeat(10_000)).as_bytes()).unwrap();
        read_to_end(&mut stream);
    });
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("anna: hi");
    let rows = terminal.rows();
    assert!(rows.iter().any(|row| row.contains("not shown: a line is too long")), "{rows:#?}");
    assert!(!rows.concat().contains("xxx"), "{rows:#?}");
    terminal.press("/quit\r");
    assert_eq!(terminal.finish(), Some(0));
    server.finish();
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    for (choice, expected) in [("--color=never", false), ("--color=auto", true)] {
        let server = Peer::tcp(|mut stream| {
            stream.write_all(b"anna: hi\n").unwrap();
            read_to_end(&mut stream);
        });
        let mut terminal = Terminal::start(&server.at(), &[choice]);
        terminal.wait_for_row("anna: hi");
        // The time is dimmed.
        let styled = terminal.raw.windows(4).any(|bytes| bytes == b"\x1b[2m");
        assert_eq!(styled, expected, "{choice}");
        terminal.press("/quit\r");
        assert_eq!(terminal.finish(), Some(0));
        server.finish();
    }
}

#[test]
fn it_comes_back_and_shows_what_was_missed_once() {
    let server = Peer::tcp_listener(|listener| {
        let accept = || with_timeouts(listener.accept().unwrap().0);
        let mut stream = accept();
        welcome(&mut stream);
        stream.write_all(b"anna: one\nbob: two\n").unwrap();
        assert_eq!(read_line(&mut stream), "mine");
        reset(stream);
        let mut stream = accept();
        let history = "anna: one\neve: mine\nbob: two\nanna: three\n";
        stream.write_all(WELCOME.as_bytes()).unwrap();
        stream.write_all(history.as_bytes()).unwrap();
        assert_eq!(read_line(&mut stream), "/nick eve");
        let said = read_line(&mut stream);
        read_to_end(&mut stream);
        said
    });
    let mut terminal = Terminal::start(&server.at(), &["--retry-pause", "100ms"]);
    terminal.wait_for_row("bob: two");
    terminal.press("mine\r");
    terminal.wait(|rows| rows.iter().any(|row| row.contains("trying again in 0.1 s")));
    terminal.press("kept\r");
    terminal.wait_for_row("anna: three");
    let rows = terminal.rows();
    for line in ["anna: one", "bob: two", "anna: three", "eve: mine"] {
        assert_eq!(rows.iter().filter(|row| *row == line).count(), 1, "{line}: {rows:#?}");
    }
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), "kept");
}

/// Lines that went into a link that was dead by then.
#[test]
fn after_a_lost_connection_it_is_told_which_lines_did_not_arrive() {
    for (history, told) in [
        ("anna: one\neve: mine\nbob: two\n", "did not arrive: your last 2 lines"),
        ("bob: two\n", "did not arrive: your last 2 lines"),
        ("anna: one\neve: mine\nbob: two\neve: lost\n", "did not arrive: your last 1 line"),
        ("", "not known whether your last 2 lines arrived"),
    ] {
        let server = Peer::tcp_listener(move |listener| {
            let accept = || with_timeouts(listener.accept().unwrap().0);
            let mut stream = accept();
            welcome(&mut stream);
            stream.write_all(b"anna: one\n").unwrap();
            assert_eq!(read_line(&mut stream), "mine");
            stream.write_all(b"bob: two\n").unwrap();
            assert_eq!(read_line(&mut stream), "lost");
            assert_eq!(read_line(&mut stream), "gone");
            reset(stream);
            let mut stream = accept();
            stream.write_all(format!("{WELCOME}{history}").as_bytes()).unwrap();
            assert_eq!(read_line(&mut stream), "/nick eve");
            stream.write_all(b"* guest1 is now eve\n").unwrap();
            assert_eq!(read_to_end(&mut stream), "");
        });
        let mut terminal = Terminal::start(&server.at(), &["--retry-pause", "100ms"]);
        terminal.wait_for_row("anna: one");
        terminal.press("mine\r");
        terminal.wait_for_row("bob: two");
        terminal.press("lost\rgone\r");
        terminal.wait_for(told);
        let expected = if told.contains("known") {
            0
        } else if told.contains('2') {
            2
        } else {
            1
        };
        terminal
            .wait(|rows| rows.iter().filter(|row| row.starts_with("--   ")).count() == expected);
        let rows = terminal.rows();
        // Nothing is sent twice, and nothing is shown twice.
        assert_eq!(rows.iter().filter(|row| *row == "eve: lost").count(), 1, "{rows:#?}");
        terminal.press("\x04");
        assert_eq!(terminal.finish(), Some(0));
        server.finish();
    }
}

#[test]
fn it_does_not_come_back_if_it_must_not_nor_to_where_it_never_was() {
    let ended = |end: fn(TcpStream)| {
        let server = Peer::tcp(move |mut stream| {
            stream.write_all(b"hello\n").unwrap();
            assert_eq!(read_line(&mut stream), "bye");
            end(stream);
        });
        let mut terminal = Terminal::start(&server.at(), &["--no-reconnect"]);
        terminal.wait_for_row("hello");
        terminal.press("bye\r");
        server.finish();
        terminal.finish()
    };
    assert_eq!(ended(drop), Some(0));
    assert_eq!(ended(reset), Some(1));
    let terminal = Terminal::start(&RefusedTcp::hold().at(), &[]);
    assert_eq!(terminal.finish(), Some(1));
}

#[test]
fn who_is_put_out_by_the_operator_does_not_come_back_by_itself() {
    for notice in ["you were kicked by the operator", "you are banned from this room"] {
        let server = Peer::tcp(move |mut stream| {
            welcome(&mut stream);
            stream.write_all(format!("* {notice}\n").as_bytes()).unwrap();
        });
        let mut terminal = Terminal::start(&server.at(), &[]);
        terminal.wait_for_row(&format!("*** {notice}"));
        terminal.wait(|rows| rows.iter().any(|row| row.contains("closed the connection")));
        assert_eq!(terminal.finish(), Some(0));
        server.finish();
    }
}

#[test]
fn a_line_that_is_too_long_is_kept_to_be_shortened() {
    let server = Peer::tcp(|mut stream| {
        stream.write_all(b"hello\n").unwrap();
        read_line(&mut stream)
    });
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("hello");
    terminal.press(&format!("{}\r", "x".repeat(1025)));
    terminal.wait(|rows| rows.iter().any(|row| row.contains("1025 bytes")));
    terminal.press("\x1b[A\x7f\r");
    assert_eq!(server.finish(), "x".repeat(1024));
    terminal.signal(Signal::SIGINT);
    assert_eq!(terminal.finish(), Some(130));
}

#[test]
fn a_nick_that_cannot_be_one_is_wrong_usage() {
    run("chat-client", &["127.0.0.1:1", "--nick", "a b"]).exits(2).says(&["nick"]);
}
