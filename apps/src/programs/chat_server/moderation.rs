//! What the operator does about members: putting them out, and keeping them out.

use barewire_core::chat::MemberId;
use barewire_core::printable::printable;
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_linux::address::{self, read_source};
use jiff::{SignedDuration, Timestamp};

use super::ban::Ban;
use super::operator_command::{HELP, OperatorCommand};
use super::state::ChatState;

/// So many nicks are named before the rest are counted.
const NAMED: usize = 10;

/// Does what the operator wants. Gives what it is told.
pub(super) fn execute(
    command: OperatorCommand<'_>,
    state: &mut ChatState,
    now: Instant,
) -> Vec<String> {
    match command {
        OperatorCommand::Kick(nick) => vec![kick(nick, state, now)],
        OperatorCommand::Ban(whom, time) => vec![ban(whom, time, state, now)],
        OperatorCommand::Unban(address) => vec![lift(address, state)],
        OperatorCommand::Bans => list(state),
        OperatorCommand::Help => vec![HELP.to_owned()],
        OperatorCommand::Wrong(why) => vec![why],
    }
}

fn kick(nick: &str, state: &mut ChatState, now: Instant) -> String {
    let Some((id, source)) = state.room.find(nick).and_then(|id| Some((id, source(state, id)?)))
    else {
        return nobody(nick, state, "");
    };
    let nick = state.room.nick(id).unwrap_or_default().to_owned();
    state.kick(id, now);
    format!("kicked {nick} from {}", address::Shown(source))
}

/// Where a member comes from. The operator comes from nowhere.
fn source(state: &ChatState, id: MemberId) -> Option<Source> {
    state.room.source(id)
}

fn nobody(nick: &str, state: &ChatState, more: &str) -> String {
    if state.room.find(nick) == Some(state.room.operator()) {
        return "the operator stays: end the server instead".into();
    }
    let nick = printable(nick.as_bytes());
    format!("nobody here is called {nick}{more}; /who tells who is here")
}

fn ban(whom: &str, time: Option<Duration>, state: &mut ChatState, now: Instant) -> String {
    // No nick is an address, but one may look like it.
    let member = || {
        let id = state.room.find(whom)?;
        Some((source(state, id)?, Some(state.room.nick(id)?.to_owned())))
    };
    let Some((source, nick)) = read_source(whom).map(|source| (source, None)).or_else(member)
    else {
        return nobody(whom, state, ", and it is no address");
    };
    let clock = Timestamp::now();
    let until = time.map(|time| {
        let time = SignedDuration::try_from(std::time::Duration::from(time)).ok()?;
        clock.checked_add(time).ok()
    });
    let until = match until {
        Some(None) => return "the time is too long: leave it out for a ban without an end".into(),
        until => until.flatten(),
    };
    let ban = Ban { until, nick };
    let told = format!("banned {}{ban}", address::Shown(source));
    state.bans.add(source, ban, clock);
    let kicked = kick_all(source, state, now);
    if kicked.is_empty() { told } else { format!("{told}, and kicked {}", named(&kicked)) }
}

/// Kicks all members from a source. Gives their nicks.
fn kick_all(source: Source, state: &mut ChatState, now: Instant) -> Vec<String> {
    let ids = state.room.members().filter(|id| state.room.source(*id) == Some(source));
    let ids: Vec<MemberId> = ids.collect();
    let nicks = ids.iter().filter_map(|id| state.room.nick(*id)).map(str::to_owned).collect();
    for id in ids {
        state.kick(id, now);
    }
    nicks
}

fn named(nicks: &[String]) -> String {
    let (first, rest) = nicks.split_at(nicks.len().min(NAMED));
    let rest = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    first.join(", ") + &rest
}

fn lift(address: &str, state: &mut ChatState) -> String {
    let Some(source) = read_source(address) else {
        let address = printable(address.as_bytes());
        return format!("{address} is no address: write 192.0.2.7, 2001:db8::/64 or uid:1000");
    };
    let source_shown = address::Shown(source);
    match state.bans.lift(source, Timestamp::now()) {
        Some(_) => format!("{source_shown} is not banned any more"),
        None => format!("{source_shown} was not banned; /bans tells who is"),
    }
}

fn list(state: &ChatState) -> Vec<String> {
    let line = |(source, ban): (&Source, &Ban)| {
        let nick = ban.nick.as_ref().map(|nick| format!(" ({nick})")).unwrap_or_default();
        format!("banned: {}{ban}{nick}", address::Shown(*source))
    };
    let lines: Vec<_> = state.bans.current(Timestamp::now()).map(line).collect();
    if lines.is_empty() { vec!["nobody is banned".into()] } else { lines }
}
