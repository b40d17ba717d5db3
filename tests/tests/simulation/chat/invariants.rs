//! What must hold of every talk.

use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::Outcome;

use super::network::{Memory, Participant, Simulation};

/// What a private line or an answer to one starts with: those are judged apart.
const PRIVATE: &str = "(private) ";
const NOBODY: &str = "* nobody here is called ";

/// A line is refused that others waited for, who needed the buffer.
const REFUSED: &str = "* your line took too long while others waited: it was refused";

const MISSING: &str = "* you fell behind: some lines are missing here";

fn play(seed: u64, faults: u8, sometimes: &mut Sometimes) {
    let mut random = Random::new(seed);
    let count = random.count(2..=5);
    let mut memory = Memory::draw(&mut random, count);
    let mut simulation = Simulation::new(random, &mut memory, faults);
    simulation.run();
    assert_eq!(simulation.peers.len(), count);
    judge(&simulation, sometimes);
    judge_operator(&simulation, sometimes);
    sometimes.note("somebody was dropped", simulation.dropped > 0);
    let is_refused = |peer: &Participant| refusals(peer) > 0;
    sometimes.note("a line was refused for others", simulation.peers.iter().any(is_refused));
}

fn judge(simulation: &Simulation<'_>, sometimes: &mut Sometimes) {
    for number in 0..simulation.peers.len() {
        judge_peer(simulation, number, sometimes);
    }
    judge_private(simulation, sometimes);
}

/// Everything public reaches everybody else once and in the one order in which the room heard it.
fn judge_peer(simulation: &Simulation<'_>, number: usize, sometimes: &mut Sometimes) {
    let peer = &simulation.peers[number];
    let is_public = |line: &&String| {
        !line.starts_with(PRIVATE) && !line.starts_with(NOBODY) && *line != REFUSED
    };
    let public: Vec<_> = peer.received.iter().filter(is_public).cloned().collect();
    let is_whole = simulation.is_whole(number);
    let history = simulation.model.judge(number, &public, is_whole);
    sometimes.note("a newcomer got history", history > 0);
    if is_whole {
        // All that it said was heard, or it was told that it was not.
        let rest = peer.steps[peer.told..].iter().filter(|step| step.event.is_some()).count();
        assert!(rest + peer.lost <= refusals(peer), "{number} was not heard");
    }
    sometimes.note("all of it was received", is_whole && public.len() > 8);
    sometimes.note("not all of it was received", !is_whole && public.len() > 4);
    // Of each sender's lines, private ones too, the order is the sender's.
    for sender in 0..simulation.peers.len() {
        let marks: Vec<usize> =
            peer.received.iter().filter_map(|line| mark(line, sender)).collect();
        assert!(marks.is_sorted_by(|a, b| a < b), "{number} got from {sender}: {marks:?}");
    }
}

/// How many of its lines were refused.
fn refusals(peer: &Participant) -> usize {
    peer.received.iter().filter(|line| *line == REFUSED).count()
}

/// The number of `sender`'s line, if this is one: what was said, done or told.
fn mark(line: &str, sender: usize) -> Option<usize> {
    let is_notice = [" joined", " is now ", " left", "welcome", "nobody here"]
        .iter()
        .any(|part| line.starts_with("* ") && line.contains(part));
    let word = line.split(' ').skip(1).find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let (own, number) = word.filter(|_| !is_notice)?.split_once('-')?;
    (own == sender.to_string()).then(|| number.parse().expect("a number"))
}

/// A private line reaches whom it is for, or its sender is told that nobody is called so.
fn judge_private(simulation: &Simulation<'_>, sometimes: &mut Sometimes) {
    for (sender, peer) in simulation.peers.iter().enumerate() {
        for to in 0..simulation.peers.len() {
            let marks: Vec<_> = peer
                .steps
                .iter()
                .filter(|step| step.to == Some(to))
                .filter_map(|step| step.line.rsplit(' ').next())
                .collect();
            let starts = |line: &&String| line.starts_with(PRIVATE);
            let got = simulation.peers[to].received.iter().filter(starts);
            let got =
                got.filter(|line| marks.iter().any(|mark| line.ends_with(&format!(": {mark}"))));
            let got = got.count();
            let nobody = format!("{NOBODY}guest{};", to + 2);
            let refused = peer.received.iter().filter(|line| line.starts_with(&nobody)).count();
            if simulation.is_whole(sender) && simulation.is_whole(to) {
                let lost = marks.len() - got - refused;
                assert!(lost <= refusals(peer), "from {sender} to {to}");
            } else {
                assert!(got + refused <= marks.len(), "from {sender} to {to}");
            }
            sometimes.note("a private line arrived", got > 0);
            sometimes.note("a private line had nobody to go to", refused > 0);
        }
        let all_private = peer.received.iter().filter(|line| line.starts_with(PRIVATE));
        let mine = format!("guest{}", sender + 2);
        assert!(
            all_private.clone().next().is_none() || simulation.model.members[&sender].nick == mine
        );
    }
}

/// The operator gets everything, or is told where something is missing.
fn judge_operator(simulation: &Simulation<'_>, sometimes: &mut Sometimes) {
    let text = String::from_utf8(simulation.operator.clone()).expect("UTF-8");
    let lines: Vec<_> = text.lines().collect();
    if let Some(gap) = lines.iter().position(|&line| line == MISSING) {
        assert!(simulation.operator_sleeps && gap == 0);
        assert!(
            simulation
                .model
                .log
                .ends_with(&lines[1..].iter().map(ToString::to_string).collect::<Vec<_>>())
        );
        sometimes.note("the operator fell behind", true);
    } else {
        assert_eq!(lines[0], "* guest1 joined", "the witness");
        assert_eq!(lines[1..], simulation.model.log);
    }
}

#[test]
fn every_line_reaches_everybody_once_and_in_one_order() {
    for_seeds(150, |seed, sometimes| play(seed, 40, sometimes));
}

/// Without a fault, everything ends in order, unless a link is too slow for the room.
#[test]
fn without_faults_nobody_is_cut_off() {
    for_seeds(100, |seed, sometimes| {
        let mut random = Random::new(seed);
        let count = random.count(2..=5);
        let mut memory = Memory::draw(&mut random, count);
        let mut simulation = Simulation::new(random, &mut memory, 0);
        simulation.run();
        let whole = (0..count).filter(|&number| simulation.is_whole(number)).count();
        assert_eq!(whole + simulation.dropped, count);
        assert!((0..count).all(|number| !simulation.has_fault(number)));
        sometimes.note("all were served", whole == count);
    });
}

/// A room full: some of the links break, and the others get everything.
#[test]
fn dozens_hear_each_other_in_one_order() {
    for_seeds(3, |seed, sometimes| {
        let mut random = Random::new(seed);
        let count = random.count(24..=40);
        let mut memory = Memory::roomy(count);
        let mut simulation = Simulation::new(random, &mut memory, 20);
        simulation.run();
        assert_eq!(simulation.peers.len(), count);
        judge(&simulation, sometimes);
        judge_operator(&simulation, &mut Sometimes::default());
        let whole = (0..count).filter(|&number| simulation.is_whole(number)).count();
        sometimes.note("two dozen got everything", whole >= 24);
        sometimes.note("some were cut off", whole < count);
    });
}

/// Its files are none: what was said is what the members have got, and they learn that it is gone.
#[test]
fn a_server_that_is_killed_leaves_nobody_waiting() {
    for_seeds(40, |seed, sometimes| {
        let mut random = Random::new(seed);
        let count = random.count(2..=5);
        let mut memory = Memory::draw(&mut random, count);
        let after = random.span(Duration::ZERO..=Duration::from_secs(3));
        let mut simulation = Simulation::new(random, &mut memory, 0);
        simulation.kill_after(after);
        simulation.run();
        for peer in &mut simulation.peers {
            // The end of the stream is the end of a line, wherever it comes.
            let is_cut = peer.server.is_none() && peer.peer == Some(Outcome::Closed);
            peer.received.pop_if(|_| is_cut);
        }
        judge(&simulation, &mut Sometimes::default());
        let is_over = |outcome| simulation.peers.iter().any(|peer| peer.peer == Some(outcome));
        assert!(simulation.peers.iter().all(|peer| peer.peer.is_some()), "a client waits for ever");
        sometimes.note("an end", is_over(Outcome::Closed));
        sometimes.note("a reset", is_over(Outcome::Broken));
        sometimes.note("nobody was there yet", simulation.peers.is_empty());
    });
}
