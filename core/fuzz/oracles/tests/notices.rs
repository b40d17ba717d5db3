//! The list of a server's own lines, which stands in the docs of the chat, is closed and complete.

use barewire_core::chat::{
    DEFAULT_PATIENCE, JoinError, LeaveReason, Line, MemberId, NickError, NickRules, Room,
    RoomConfig, RoomStorage, min_log_bytes, skeleton,
};
use barewire_core::session::{Output, Session};
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_oracles::chat::forms::{documented, fits};

const CONFIG: RoomConfig = RoomConfig::new()
    .with_max_text(112)
    .with_burst(40)
    .with_nicks(NickRules { check: refuse_each, skeleton });

const REASONS: [LeaveReason; 5] = [
    LeaveReason::Quit,
    LeaveReason::Lost,
    LeaveReason::FellBehind,
    LeaveReason::Stopped,
    LeaveReason::Kicked,
];

/// For each reason there is a nick that is refused for it.
fn refuse_each(name: &str) -> Result<(), NickError> {
    match name {
        "ascii" => Err(NickError::NotAscii),
        "scripts" => Err(NickError::Scripts),
        "marks" => Err(NickError::Marks),
        _ => Ok(()),
    }
}

type Memory = RoomStorage<9, 64, { CONFIG.bytes(2 * min_log_bytes(112)) }>;

/// A room, and all that anybody in it has received.
struct Script<'m> {
    room: Room<'m>,
    now: Instant,
    received: Vec<u8>,
}

impl Script<'_> {
    fn joins(&mut self, source: u64) -> MemberId {
        self.room.join(self.now, Source(source)).expect("a slot is free")
    }

    /// Whom the owner knows by a name.
    fn is_named(&mut self, name: &str, others: &[MemberId]) {
        let id = self.room.join_named(self.now, Source(8), name).expect("a slot is free");
        self.all_read(others);
        self.reads(id);
        self.says(id, &["/nick other"]);
        self.reads(id);
        self.room.leave(self.now, id, LeaveReason::Quit);
        self.all_read(others);
    }

    fn says(&mut self, id: MemberId, lines: &[&str]) {
        let mut input = lines.concat();
        input.push('\n');
        let (mut rest, mut member) = (input.as_bytes(), self.room.member(id).expect("it is here"));
        while member.handle_input(self.now, &mut rest).is_ok() {}
    }

    /// More joins and leaves than are told one by one.
    fn comes_and_goes(&mut self, others: &[MemberId]) {
        for _ in 0..30 {
            let id = self.joins(9);
            self.room.leave(self.now, id, LeaveReason::Quit);
            self.all_read(others);
        }
        self.waits(others[0], Duration::from_secs(1));
        self.all_read(others);
    }

    /// A line that goes on.
    fn begins(&mut self, id: MemberId) {
        let mut member = self.room.member(id).expect("it is here");
        assert!(member.handle_input(self.now, &mut &b"x"[..]).is_err());
    }

    fn reads(&mut self, id: MemberId) {
        let mut member = self.room.member(id).expect("it is here");
        while let Output::Bytes { head, tail, .. } = member.poll_transmit() {
            self.received.extend([head, tail].concat());
            let count = head.len() + tail.len();
            member.transmitted(self.now, count);
        }
    }

    /// By one who has not come to chat.
    fn is_visited(&mut self, others: &[MemberId]) {
        let browser = self.joins(4);
        self.all_read(others);
        self.reads(browser);
        self.says(browser, &["GET / HTTP/1.1"]);
        self.reads(browser);
        self.room.leave(self.now, browser, LeaveReason::Quit);
        self.all_read(others);
    }

    fn all_read(&mut self, ids: &[MemberId]) {
        for &id in ids {
            self.reads(id);
        }
    }

    fn is_kicked(&mut self, id: MemberId) {
        self.room.member(id).expect("it is here").kick(self.now);
        self.reads(id);
    }

    fn waits(&mut self, id: MemberId, span: Duration) {
        self.now += span;
        let mut member = self.room.member(id).expect("it is here");
        while member.handle_timeout(self.now).is_ok() {}
    }
}

/// All that a room of its own accord says to anybody, or nearly: one that the list has and the room never
/// says fails here, as does one that the room says and the list has not.
#[test]
fn what_a_room_says_is_what_its_docs_list() {
    let mut storage = Box::new(Memory::new());
    let room = storage.room(CONFIG).expect("it is enough");
    let mut script = Script { room, now: Instant::from_secs(1), received: Vec::new() };
    let server = script.room.operator();
    let [anna, ben] = [1, 2].map(|source| script.joins(source));
    script.says(ben, &["/nick ben"]);
    for line in [
        "/who",
        "/help",
        "/dance",
        "/me",
        "/msg ben",
        "/nick",
        "/nick a:",
        "/nick ascii",
        "/nick scripts",
        "/nick marks",
        "/nick server",
        "/nick BEN",
        "/nick anna",
        "/nick anna",
        "/msg nobody hello",
        "/me waves",
        "hello",
    ] {
        script.says(anna, &[line]);
        script.all_read(&[server, anna, ben]);
    }
    script.says(anna, &["/nick ", &"x".repeat(25)]);
    script.says(anna, &[&"x".repeat(113)]);
    script.says(server, &["/quit"]);
    script.all_read(&[server, anna, ben]);
    // More than one may say at once.
    for _ in 0..50 {
        script.says(ben, &["hello"]);
        script.all_read(&[server, anna, ben]);
    }
    // A line that does not end.
    script.begins(anna);
    script.waits(anna, Duration::from_secs(10));
    script.says(anna, &[]);
    // An operator that does not read.
    for _ in 0..20 {
        script.says(anna, &[&"y".repeat(112)]);
        script.all_read(&[anna, ben]);
    }
    script.waits(anna, DEFAULT_PATIENCE);
    script.all_read(&[server, anna, ben]);
    script.is_visited(&[server, anna, ben]);
    // More nicks than fit in a line.
    let more = [3; 6].map(|source| script.joins(source));
    script.all_read(&[server, anna, ben]);
    script.all_read(&more);
    for (number, id) in more.into_iter().enumerate() {
        script.says(id, &["/nick ", &"𠀀".repeat(23), &number.to_string()]);
        script.all_read(&[server, anna, ben]);
        script.all_read(&more);
    }
    // A line that another of its source waits for.
    script.begins(more[1]);
    script.begins(more[2]);
    script.waits(more[2], DEFAULT_PATIENCE);
    for id in [more[1], more[2]] {
        script.says(id, &[]);
        script.all_read(&[server, anna, ben]);
        script.all_read(&more);
    }
    script.says(more[0], &["/who"]);
    script.reads(more[0]);
    for why in [JoinError::RoomFull, JoinError::SourceFull, JoinError::TooOften, JoinError::NoNick]
    {
        script.received.extend(why.line().as_bytes());
    }
    // More than all from one source may say together.
    for id in more {
        for _ in 0..40 {
            script.says(id, &["hello"]);
            script.all_read(&[server, anna, ben]);
            script.all_read(&more);
        }
    }
    script.is_kicked(more[4]);
    for (id, why) in more.into_iter().zip(REASONS) {
        script.room.leave(script.now, id, why);
        script.reads(anna);
    }
    script.is_named("eva", &[server, anna, ben]);
    script.comes_and_goes(&[server, anna, ben]);

    let received = String::from_utf8(script.received).expect("what a room says is UTF-8");
    let notices: Vec<&str> = received.lines().filter(|line| line.starts_with("* ")).collect();
    let is_nick = |nick: &str| {
        !matches!(
            Line::read(format!("{nick}: x").as_bytes()).kind,
            barewire_core::chat::Kind::Other
        )
    };
    for notice in &notices {
        let forms = documented().iter().filter(|form| fits(form, notice, &is_nick)).count();
        assert_eq!(forms, 1, "{notice:?} has so many forms in the list");
    }
    for form in documented() {
        let is_said = notices.iter().any(|notice| fits(form, notice, &is_nick));
        assert!(is_said, "{form:?} is in the list, and nothing says it");
    }
}

#[test]
fn a_form_is_fitted_by_its_own_lines_only() {
    let is_nick = |nick: &str| nick.chars().all(char::is_alphanumeric) && !nick.is_empty();
    for (form, line, expected) in [
        ("* {nick} left", "* anna left", true),
        ("* {nick} left", "* anna left (fell behind)", false),
        ("* {nick} left", "* an na left", false),
        ("* {nick} left", "*  left", false),
        ("* {old} is now {nick}", "* anna is now ben", true),
        ("* here: {nicks}", "* here: anna, ben", true),
        ("* here: {nicks}", "* here: anna, ben and 7 more", false),
        ("* here: {nicks} and {count} more", "* here: anna, ben and 7 more", true),
        ("* {count} joined", "* -1 joined", false),
    ] {
        assert_eq!(fits(form, line, &is_nick), expected, "{line:?} as {form:?}");
    }
    assert!(documented().len() > 20, "{:?}", documented());
}
