//! Text that arrives while a line is typed (rustyline#629, rustyline#229) neither stalls nor spoils it:
//! all of it is shown, in its order, and the line stands whole below it.

use std::io::Write;

use barewire_tests::harness::Peer;
use barewire_tests::harness::sockets::{read_line, read_to_end};

use crate::chat_client::screen::Terminal;

const ARRIVALS: usize = 200;

#[test]
fn a_half_typed_line_survives_what_arrives() {
    let typed = "the quick brown fox, 狐狸";
    let server = Peer::tcp(|mut stream| {
        stream.write_all(b"hello\n").unwrap();
        assert_eq!(read_line(&mut stream), "now");
        for number in 0..ARRIVALS {
            stream.write_all(format!("anna: message {number}\n").as_bytes()).unwrap();
        }
        let said = read_line(&mut stream);
        read_to_end(&mut stream);
        said
    });
    let mut terminal = Terminal::start(&server.at(), &[]);
    terminal.wait_for_row("hello");
    terminal.press("now\r");
    for c in typed.chars() {
        terminal.press(&c.to_string());
    }
    let last = format!("anna: message {}", ARRIVALS - 1);
    terminal.wait_for_row(&last);
    terminal.wait_for_line(&format!("> {typed}"));
    let rows = terminal.rows();
    let shown: Vec<&String> = rows.iter().filter(|row| row.starts_with("anna: ")).collect();
    let all: Vec<String> = (0..ARRIVALS).map(|number| format!("anna: message {number}")).collect();
    assert!(shown.into_iter().eq(&all), "{rows:#?}");
    assert_eq!(rows.iter().filter(|row| row.contains("fox")).count(), 1, "{rows:#?}");
    terminal.press("\r\x04");
    assert_eq!(terminal.finish(), Some(0));
    assert_eq!(server.finish(), typed);
}
