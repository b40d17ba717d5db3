//! Whatever ends or stops the client, its terminal is as it was.

use std::io::Write;
use std::net::TcpStream;

use barewire_tests::harness::Peer;
use barewire_tests::harness::sockets::{read_line, read_to_end};
use nix::sys::signal::Signal;

use super::screen::Terminal;

/// A server that says hello, and gives what it was sent.
fn greeting() -> Peer<String> {
    Peer::tcp(|mut stream: TcpStream| {
        stream.write_all(b"hello\n").unwrap();
        read_to_end(&mut stream)
    })
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was_and_the_server_an_orderly_end() {
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGALRM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGVTALRM,
        Signal::SIGPROF,
        Signal::SIGXCPU,
        Signal::SIGIO,
        Signal::SIGPWR,
    ] {
        let server = greeting();
        let mut terminal = Terminal::start(&server.at(), &[]);
        terminal.wait_for_row("hello");
        terminal.press("half");
        terminal.wait_for_line("> half");
        terminal.signal(signal);
        assert_eq!(terminal.finish(), Some(128 + signal as i32), "{signal}");
        assert_eq!(server.finish(), "", "{signal}");
    }
}

#[test]
fn a_signal_ends_a_look_at_what_has_scrolled_away_too() {
    let server = greeting();
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("hello");
    terminal.press("\x1b[5~");
    terminal.wait_for("Page Down");
    terminal.signal(Signal::SIGHUP);
    assert_eq!(terminal.finish(), Some(129));
    server.finish();
}

/// By Ctrl-Z, and by a signal from elsewhere.
#[test]
fn a_stop_leaves_the_terminal_as_it_was_and_what_goes_on_goes_on() {
    let server = Peer::tcp(|mut stream: TcpStream| {
        stream.write_all(b"hello\n").unwrap();
        for number in ["one", "two"] {
            assert_eq!(read_line(&mut stream), number);
            stream.write_all(format!("anna: {number}\n").as_bytes()).unwrap();
        }
        read_to_end(&mut stream)
    });
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("hello");
    let stops: [fn(&mut Terminal); 2] =
        [|terminal| terminal.press("\x1a"), |terminal| terminal.signal(Signal::SIGTSTP)];
    for (stop, number) in stops.into_iter().zip(["one", "two"]) {
        terminal.press(&number[..2]);
        terminal.wait_for_line(&format!("> {}", &number[..2]));
        stop(&mut terminal);
        terminal.wait_for_stop();
        terminal.wait_for_line("");
        terminal.signal(Signal::SIGCONT);
        terminal.wait_for_line(&format!("> {}", &number[..2]));
        terminal.press(&format!("{}\r", &number[2..]));
        terminal.wait_for_row(&format!("anna: {number}"));
    }
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), "");
}
