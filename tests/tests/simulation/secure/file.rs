//! File transfer: what is complete is the file, and without a fault it is.

use barewire_core::file::{
    Offer, Pending, Receiver, ReceiverEvent, Request, SegmentDigester, SegmentSize, Sender,
    TransferConfig,
};
use barewire_core::secure::{Conversation, Secured};
use barewire_core::session::InMemory;
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{Fault, Outcome, Streams};

use super::{Memory, direction};

#[test]
fn what_is_complete_is_the_file() {
    for_seeds(100, |seed, sometimes| {
        let mut random = Random::new(seed);
        let (mut at_server, mut at_client) = {
            let at_server = Memory::draw(&mut random);
            let keys = at_server.keys.clone();
            (at_server, Memory::with_keys(&mut random, keys))
        };
        let contents: Vec<u8> =
            (0..random.count(0..=9_000)).map(|at| (at / 5).to_le_bytes()[0]).collect();
        let verify = random.chance(50);
        let directions = [(); 2].map(|()| direction(&mut random, Duration::from_millis(2), 800));
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let fault = random.chance(60).then(|| {
            Fault::draw(&mut random, now, Duration::from_millis(300), contents.len() + 300)
        });
        let ends = streams.connect(directions, fault);
        let mut sender = Sender::<64>::new(now, TransferConfig::default());
        let mut receiver = Receiver::<128>::new(now, TransferConfig::default());
        let request = Request::get(b"name").with_verify(verify).with_segment(SegmentSize::MIN);
        receiver.request(now, &request).unwrap();
        receiver.finish();
        let mut here = at_server.server(&mut random, now, Conversation::File);
        let mut there = at_client.client(&mut random, now, Conversation::File);
        let (mut came, mut is_complete) = (Vec::new(), false);
        let mut outcomes = [None, None];
        while let Some(end) = streams.advance() {
            let now = streams.now();
            if end == ends[1] {
                let mut secured = Secured { session: &mut receiver, channel: &mut there };
                let outcome = streams.drive(end, &mut secured, |event| match event {
                    ReceiverEvent::Contents(bytes) => came.extend_from_slice(bytes),
                    ReceiverEvent::Complete => is_complete = true,
                    ReceiverEvent::Response(answer) => {
                        assert_eq!(answer.size, contents.len() as u64);
                    }
                    ReceiverEvent::Verified { .. } => {}
                    other => panic!("{other:?}"),
                });
                outcomes[1] = outcomes[1].or(outcome.map(|outcome| outcome == Outcome::Closed));
                continue;
            }
            loop {
                let session = InMemory { session: &mut sender, contents: &contents };
                let mut secured = Secured { session, channel: &mut here };
                let outcome = streams.drive(end, &mut secured, |_| {});
                if let Some(outcome) = outcome {
                    outcomes[0] = Some(outcome == Outcome::Closed);
                    break;
                }
                match sender.pending() {
                    None => break,
                    Some(Pending::Response) => {
                        let size = contents.len() as u64;
                        sender.offer(now, Offer { size, tag: 7, modified: 0 });
                    }
                    Some(Pending::Digest(segment)) => {
                        let [start, end] =
                            [segment.start(), segment.end()].map(|at| usize::try_from(at).unwrap());
                        let mut digester = SegmentDigester::new(segment);
                        digester.update(&contents[start..end]);
                        sender.provide_digest(now, digester.finish());
                    }
                    Some(_) => sender.confirm(now),
                }
            }
        }
        assert!(contents.starts_with(&came), "never sent");
        assert!(!is_complete || came == contents, "a part passed off as the whole");
        if fault.is_none() {
            assert!(is_complete && outcomes == [Some(true); 2], "{outcomes:?}");
        }
        assert!(outcomes.iter().all(Option::is_some), "somebody waits for ever");
        sometimes.note("complete", is_complete);
        sometimes.note("a part", !is_complete && !came.is_empty());
        sometimes.note("failed", outcomes[1] == Some(false));
    });
}
