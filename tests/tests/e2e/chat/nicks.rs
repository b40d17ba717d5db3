//! Nobody passes for another in a chat (ergo#519, mumble#2462, UTS #39): nicks that look like one that is
//! taken, that hold what nobody can see, or that are the server's own are refused; and people are called
//! as they are called, in any script.

use barewire_tests::harness::serve;

use crate::chat::Member;

/// Nicks, and what the refusal says.
const REFUSED: [(&[&str], &str); 5] = [
    // Case; marks, by themselves and with their letters; Greek capitals.
    (&["anna", "ANNA", "ánña", "anna\u{301}", "ΑΝΝΑ"], "taken"),
    // A zero-width space, a soft hyphen, a word joiner, a joiner, a Hangul filler, a variation selector,
    // an override of the direction; a letter of the mathematical alphabets, one below the line, and a
    // point of Hebrew.
    (
        &[
            "an\u{200b}na",
            "an\u{ad}na",
            "\u{2060}anna",
            "an\u{200d}na",
            "anna\u{3164}",
            "anna\u{fe0f}",
            "an\u{202e}na",
            "a𝐧na",
            "serᵥer",
            "server\u{5b4}",
        ],
        "letters in everyday use",
    ),
    // The Greek capital alpha; the Cyrillic a, and its s.
    (&["Αnna", "аnnа", "ѕerver"], "one script"),
    (&["anna\u{301}\u{301}", "a\u{301}\u{302}\u{303}\u{304}\u{306}"], "4 marks"),
    (&["server", "Server", "ṣerver", "5erver", "guest1000", "Guest", "gúest"], "reserved"),
];

const HONEST: [&str; 12] = [
    "annabel",
    "小明Tom",
    "Ольга",
    "สมชาย",
    "अनिल",
    "José",
    "さくら",
    "김철수",
    "محمد",
    "דוד",
    "Μαρία",
    "Nguyễn",
];

#[test]
fn no_nick_passes_for_another() {
    let server = serve("chat-server", &["--rate", "0"]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    anna.say("/nick anna");
    for member in [&mut anna, &mut ben] {
        assert!(member.line().ends_with(" is now anna"));
    }
    for (nicks, why) in REFUSED {
        for nick in nicks {
            ben.say(&format!("/nick {nick}"));
            let answer = ben.line();
            assert!(answer.contains(why), "{nick:?}: {answer}");
        }
    }
    let mut old = ben.nick.clone();
    for nick in HONEST {
        ben.say(&format!("/nick {nick}"));
        for member in [&mut anna, &mut ben] {
            member.hears(&format!("* {old} is now {nick}"));
        }
        // It is found by that name, which is no part of what is said.
        anna.say(&format!("/msg {nick} psst"));
        ben.hears("(private) anna: psst");
        old = nick.to_owned();
    }
    server.stop();
}
