//! Chat: every line reaches the other once and in order, and nothing else does.

use barewire_core::chat::{
    Client, DEFAULT_END_TIMEOUT, LeaveReason, MemberId, Room, RoomConfig, RoomStorage,
    max_line_bytes,
};
use barewire_core::secure::{Channel, Conversation, Secured};
use barewire_core::source::Source;
use barewire_core::text::Text;
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{End, Fault, Outcome, Streams};

use super::{Memory, direction};

const CONFIG: RoomConfig = RoomConfig::new().with_max_text(64).with_rate(0);
const LINE: usize = max_line_bytes(64);

struct Participant<'m> {
    ends: [End; 2],
    channels: [Channel<'m>; 2],
    id: Option<MemberId>,
    client: Client<512, LINE>,
    to_say: Vec<String>,
    received: Vec<String>,
    has_finished: bool,
    outcome: Option<bool>,
}

impl Participant<'_> {
    fn serve(&mut self, streams: &mut Streams, room: &mut Room<'_>) -> bool {
        let Some(member) = self.id.and_then(|id| room.member(id)) else { return false };
        let mut secured = Secured { session: member, channel: &mut self.channels[0] };
        let mut has_heard = false;
        let outcome = streams.drive(self.ends[0], &mut secured, |_| has_heard = true);
        if let (Some(outcome), Some(id)) = (outcome, self.id) {
            let is_well = outcome == Outcome::Closed;
            let why = if is_well { LeaveReason::Quit } else { LeaveReason::Lost };
            room.leave(streams.now(), id, why);
            (self.id, has_heard) = (None, true);
        }
        has_heard
    }

    fn attend(&mut self, streams: &mut Streams) {
        let now = streams.now();
        while let Some(line) = self.to_say.first()
            && self.client.say(Text::new(line).unwrap()).is_ok()
        {
            self.to_say.remove(0);
        }
        let received = &mut self.received;
        let mut secured = Secured { session: &mut self.client, channel: &mut self.channels[1] };
        let outcome = streams.drive(self.ends[1], &mut secured, |line| {
            received.push(line.expect("no line is too long").printable().to_string());
        });
        self.outcome = self.outcome.or(outcome.map(|outcome| outcome == Outcome::Closed));
        if !self.has_finished && self.to_say.is_empty() && self.received.len() > 1 {
            self.has_finished = true;
            self.client.finish(now, DEFAULT_END_TIMEOUT);
            streams.wake(self.ends[1], now);
        }
    }
}

#[test]
fn every_line_comes_once_and_in_order() {
    for_seeds(100, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut memories: Vec<_> = (0..2)
            .map(|_| {
                let at_server = Memory::draw(&mut random);
                let keys = at_server.keys.clone();
                [at_server, Memory::with_keys(&mut random, keys)]
            })
            .collect();
        let mut storage = RoomStorage::<4, 64, { CONFIG.bytes(8192) }>::new();
        let mut room = storage.room(CONFIG).unwrap();
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let fault = random
            .chance(50)
            .then(|| Fault::draw(&mut random, now, Duration::from_millis(400), 400));
        let mut participants = Vec::new();
        for (number, [at_server, at_client]) in memories.iter_mut().enumerate() {
            let directions =
                [(); 2].map(|()| direction(&mut random, Duration::from_millis(3), 200));
            let ends = streams.connect(directions, fault.filter(|_| number == 0));
            participants.push(Participant {
                ends,
                channels: [
                    at_server.server(&mut random, now, Conversation::Chat),
                    at_client.client(&mut random, now, Conversation::Chat),
                ],
                id: Some(room.join(now, Source(number as u64)).unwrap()),
                client: Client::new(Duration::MAX),
                to_say: (0..random.count(0..=9))
                    .map(|line| format!("line {line} of {number}"))
                    .collect(),
                received: Vec::new(),
                has_finished: false,
                outcome: None,
            });
        }
        let said: Vec<_> = participants.iter().map(|one| one.to_say.clone()).collect();
        while let Some(end) = streams.advance() {
            let mut has_news = false;
            for one in &mut participants {
                if one.ends[0] == end {
                    has_news = one.serve(&mut streams, &mut room);
                } else if one.ends[1] == end {
                    one.attend(&mut streams);
                    if one.outcome.is_none() && !one.to_say.is_empty() {
                        let soon = streams.now() + Duration::from_millis(20);
                        streams.wake(end, soon);
                    }
                }
            }
            if has_news {
                let now = streams.now();
                for one in participants.iter().filter(|one| one.id.is_some()) {
                    streams.wake(one.ends[0], now);
                }
            }
        }
        for (number, one) in participants.iter().enumerate() {
            let own = format!(" of {}", 1 - number);
            let heard: Vec<_> = one
                .received
                .iter()
                .filter(|line| line.ends_with(&own))
                .map(|line| line.split_once(": ").unwrap().1.to_owned())
                .collect();
            let mut rest = said[1 - number].iter();
            assert!(heard.iter().all(|line| rest.any(|said| said == line)), "{heard:?}");
            sometimes.note("all lines", heard.len() == said[1 - number].len() && heard.len() > 3);
            sometimes.note("failed", one.outcome == Some(false));
            if fault.is_none() {
                // (Whether a silent peer is still there is for the owner to find out.)
                assert_eq!((one.id, one.outcome), (None, Some(true)), "somebody waits for ever");
            }
        }
    });
}
