//! Nobody passes for another in a chat (ergo#519, mumble#2462): nicks that look like one that is
//! taken, that hold what nobody can see, or that are the server's own are refused.

use barewire_tests::harness::serve;

use crate::chat::Member;

/// Nicks, and what the refusal says.
const REFUSED: [(&[&str], &str); 3] = [
    // Case; the Greek capital alpha; the Cyrillic a; an n of the mathematical alphabets.
    (&["anna", "ANNA", "Αnna", "аnnа", "a𝐧na"], "taken"),
    // A zero-width space, a soft hyphen, a word joiner, a joiner, a Hangul filler, a variation
    // selector, a combining accent, an override of the direction.
    (
        &[
            "an\u{200b}na",
            "an\u{ad}na",
            "\u{2060}anna",
            "an\u{200d}na",
            "anna\u{3164}",
            "anna\u{fe0f}",
            "anna\u{301}",
            "an\u{202e}na",
        ],
        "letters, digits",
    ),
    // The last two would make the notices that programs read.
    (&["server", "Server", "ѕerver", "5erver", "guest1000", "Guest", "ɡuest"], "reserved"),
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
    // What only begins alike is somebody else.
    ben.say("/nick annabel");
    anna.hears(&format!("* {} is now annabel", ben.nick));
    server.stop();
}
