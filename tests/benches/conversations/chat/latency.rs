//! How long a delivery takes while lines come at an even pace.

use std::io;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, say};
use super::setup::{BAREWIRE, Figures, LINE, SENDERS, line, shape};
use crate::contenders::Contender;
use crate::options::Options;
use crate::process::Server;
use crate::series::Series;
use crate::table::{self, Goal, ratio};

/// The time from one line to the next, whoever says it.
const PACE: Duration = Duration::from_millis(1);

/// Digits of the nanoseconds that a line starts with.
const DIGITS: usize = 12;

/// Has the senders say a line every [`PACE`], in turn, for `span`. Returns the median and the 99th
/// percentile of the microseconds from the moment before a line is sent to that at which a member has
/// read it.
///
/// # Errors
///
/// Something else arrives than what was sent, or not as often, or the server falls silent or closes.
pub(super) fn run(server: &Server, crowd: &mut Crowd, span: Duration) -> io::Result<[f64; 2]> {
    let lines = usize::try_from(span.as_nanos() / PACE.as_nanos()).unwrap_or(usize::MAX);
    let deliveries = lines * (crowd.len() - 1);
    let mut times: Vec<u64> = Vec::with_capacity(deliveries);
    let mut begun = vec![Vec::with_capacity(2 * LINE); crowd.len()];
    let senders = (0..SENDERS)
        .map(|sender| crowd.member(sender).try_clone())
        .collect::<io::Result<Vec<_>>>()?;
    let started = Instant::now();
    thread::scope(|scope| {
        let speaking = scope.spawn(|| speak(&senders, lines, started));
        while times.len() < deliveries {
            crowd.hear_soon(|member, bytes| {
                let now = nanoseconds(started);
                take(&mut begun[member], bytes, |sent| times.push(now.saturating_sub(sent)))
            })?;
        }
        speaking.join().expect("it has no way to panic")
    })?;
    if crowd.hear_out(server)? > 0 {
        return Err(io::Error::other("a line has come twice"));
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Ok([50, 99].map(|percent| at(percent) as f64 / 1e3))
}

/// Says `lines` lines, each at its time, however long those before it took.
fn speak(senders: &[TcpStream], lines: usize, started: Instant) -> io::Result<()> {
    let mut due = started;
    for sender in senders.iter().cycle().take(lines) {
        due += PACE;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        say(sender, &line(&format!("{:0DIGITS$} ", nanoseconds(started))))?;
    }
    Ok(())
}

/// Takes the lines out of what a member has read, and keeps the start of one in `begun`.
fn take(begun: &mut Vec<u8>, bytes: &[u8], mut sent: impl FnMut(u64)) -> io::Result<()> {
    for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
        begun.extend_from_slice(piece);
        if begun.ends_with(b"\n") {
            let time = begun.len().checked_sub(LINE).map(|start| &begun[start..start + DIGITS]);
            let time = time.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
            sent(time.ok_or_else(|| io::Error::other("a line without its time"))?);
            begun.clear();
        }
    }
    Ok(())
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Prints the table.
pub(super) fn print(members: usize, options: &Options, rows: &[Contender], figures: &[Figures]) {
    let cells = rows.iter().zip(figures).map(|(contender, [.., half, most])| {
        vec![contender.name.to_owned(), ratio(half.median()), ratio(most.median())]
    });
    table::print(
        &format!(
            "chat: {members} members, {SENDERS} of them with a line every {:?}, {}",
            PACE * u32::try_from(SENDERS).expect("they are few"),
            shape(options),
        ),
        &["", "delivery, median µs", "99 % within µs"],
        &cells.collect::<Vec<_>>(),
    );
}

/// The targets: no later than with any peer.
pub(super) fn goals(
    rows: &[Contender],
    figures: &[Figures],
    barewire: &Figures,
) -> [(&'static str, Series, Goal); 2] {
    let [half, most] = [3, 4].map(|figure| {
        let peers = rows.iter().zip(figures).filter(|(row, _)| row.name != BAREWIRE);
        // The best by its median; in a round, any may be lucky.
        peers
            .map(|(_, peer)| &peer[figure])
            .min_by(|a, b| a.median().total_cmp(&b.median()))
            .map(|best| barewire[figure].over(best))
            .unwrap_or_default()
    });
    let goal = |what, series| (what, series, Goal::AtMost(1.0));
    [
        goal("delivery, median, of the best peer's", half),
        goal("delivery, 99 % within, of the best peer's", most),
    ]
}
