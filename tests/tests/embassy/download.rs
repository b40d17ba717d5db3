//! Downloads: proven ones over a bad link, and one that is reset when all its bytes are there.

use std::ops::ControlFlow::Continue;

use barewire_core::driver::{DriveError, Next, Step};
use barewire_core::file::{
    Offer, Pending, Receiver, ReceiverEvent, Refusal, Request, RequestEvent, SegmentDigester,
    SegmentSize, Sender, TransferConfig,
};
use barewire_core::io::{AsyncStreamDriver, Timer};
use barewire_core::session::InMemory;
use barewire_core::time::Duration;
use barewire_embassy_net::{Clock, Socket, close};
use barewire_oracles::file::wire;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use embassy_net::tcp::Error as Broken;

use crate::two_stacks::{Buffers, converse, interrupted};

const NAME: &[u8] = b"file";

/// A link that loses frames may be silent for long.
const PATIENT: TransferConfig = {
    let long = Duration::from_secs(600);
    TransferConfig::new().with_quiet(long).with_timeout(long).with_stall(long)
};

/// Serves `file` until the client ends the connection. Tells how often a future was dropped.
async fn serve(socket: Socket<'_>, file: &[u8], random: &mut Random) -> u32 {
    let mut sender = Sender::<16>::new(Clock.now(), PATIENT);
    let mut driver = AsyncStreamDriver::<_, 256>::new(socket);
    let mut is_there = false;
    let mut drops = 0;
    let outcome = loop {
        let mut session = InMemory { session: &mut sender, contents: file };
        let until = match driver.next(Clock.now(), &mut session) {
            Next::Event(asked) => {
                is_there = matches!(asked, RequestEvent::Request(request) if request.name == NAME);
                continue;
            }
            Next::Continue => continue,
            Next::Step(Step::Wait(until)) => until,
            Next::Step(Step::Over(outcome)) => break outcome,
            Next::Step(step) => panic!("{step:?}"),
        };
        let now = Clock.now();
        match session.session.pending() {
            Some(Pending::Response) if is_there => {
                sender.offer(now, Offer { size: file.len() as u64, tag: 1, modified: 0 });
            }
            Some(Pending::Response) => sender.refuse(now, Refusal::NotFound),
            Some(Pending::Digest(segment)) => {
                let [start, end] = [segment.start(), segment.end()];
                let [start, end] = [start, end].map(|at| usize::try_from(at).unwrap());
                let mut digester = SegmentDigester::new(segment);
                digester.update(&file[start..end]);
                sender.provide_digest(now, digester.finish());
            }
            Some(Pending::Confirm) => sender.confirm(now),
            Some(other) => panic!("{other:?}"),
            None => {
                let clock = &mut Clock;
                let wait = driver.wait(&mut session, until, clock);
                drops += u32::from(interrupted(random, wait).await.is_none());
            }
        }
    };
    outcome.unwrap();
    close(&mut driver, &mut sender).await;
    drops
}

/// Asks for the names, all at once. The contents that came in, and how each answer ended: `None` for
/// one that was refused, else up to where it was proven.
async fn fetch(
    socket: Socket<'_>,
    names: &[&[u8]],
    random: &mut Random,
) -> (Vec<u8>, Vec<Option<u64>>) {
    let mut receiver = Receiver::<{ 12 * 48 }>::new(Clock.now(), PATIENT);
    for name in names {
        receiver.request(Clock.now(), &Request::get(name)).unwrap();
    }
    receiver.finish();
    let mut driver = AsyncStreamDriver::<_, 256>::new(socket);
    let (mut contents, mut answers, mut proven) = (Vec::new(), Vec::new(), 0);
    let clock = &mut Clock;
    let outcome = loop {
        let run = driver.run(&mut receiver, clock, |event| {
            match event {
                ReceiverEvent::Response(_) => proven = 0,
                ReceiverEvent::Refused(refusal) => {
                    assert_eq!(refusal, Refusal::NotFound);
                    answers.push(None);
                }
                ReceiverEvent::Contents(part) => contents.extend_from_slice(part),
                ReceiverEvent::Verified { end, .. } => proven = end,
                ReceiverEvent::Complete => answers.push(Some(proven)),
                other => panic!("{other:?}"),
            }
            Continue(())
        });
        if let Some(outcome) = interrupted(random, run).await {
            break outcome;
        }
    };
    outcome.unwrap();
    close(&mut driver, &mut receiver).await;
    (contents, answers)
}

/// One place of which differs from the next.
fn contents(size: u64) -> Vec<u8> {
    (0..=250).cycle().zip(0..size).map(|(byte, _)| byte).collect()
}

/// Many requests at once, of which one is refused, through buffers that hold neither the requests
/// nor a file.
#[test]
fn files_are_proven_though_frames_are_lost_and_futures_dropped() {
    for_seeds(30, |seed, sometimes| {
        let random = &mut Random::new(seed);
        let file = contents(random.pick(&[0, 1, 300, 2_000]));
        let mut names = [NAME; 12];
        names[random.count(0..=11)] = b"another";
        let loss = random.pick(&[0, 10]);
        let (drops, contents, answers) = download(random, loss, 64, &file, &names);
        assert_eq!(contents, file.repeat(11));
        let proven = Some(file.len() as u64);
        assert_eq!(answers, names.map(|name| proven.filter(|_| name == NAME)));
        sometimes.note("a future was dropped", drops > 0);
        sometimes.note("an empty file was sent", file.is_empty());
    });
}

#[test]
fn a_file_of_several_segments_is_proven() {
    let random = &mut Random::new(1);
    let segment = SegmentSize::MAX.bytes();
    let size = segment + segment / 8;
    let file = contents(size);
    let (drops, contents, answers) = download(random, 1, 8_192, &file, &[NAME]);
    assert!(contents == file, "{} bytes of {size}, and perhaps others", contents.len());
    assert_eq!(answers, [Some(size)]);
    assert!(drops > 0);
}

fn download(
    random: &mut Random,
    loss: u8,
    most: usize,
    file: &[u8],
    names: &[&[u8]],
) -> (u32, Vec<u8>, Vec<Option<u64>>) {
    let (mut left_random, mut right_random) = (random.fork(), random.fork());
    let mut buffers = [Buffers::some(random, most), Buffers::some(random, most)];
    let [left, right] = &mut buffers;
    let (mut drops, mut fetched) = (0, (Vec::new(), Vec::new()));
    converse(
        random,
        loss,
        async |stack| drops = serve(left.accept(stack).await, file, &mut left_random).await,
        async |stack| fetched = fetch(right.connect(stack).await, names, &mut right_random).await,
    );
    (drops, fetched.0, fetched.1)
}

/// Nothing but the orderly close proves an unverified download.
#[test]
fn a_reset_is_no_success_though_the_byte_count_fits() {
    let request = Request::get(NAME).with_verify(false);
    let answer = [&wire::response(&request, 0, 0, [0, 2, 2, 1, 0])[..], b"ok"].concat();
    for is_reset in [false, true] {
        let random = &mut Random::new(1);
        let mut buffers = [Buffers::some(random, 64), Buffers::some(random, 64)];
        let [left, right] = &mut buffers;
        let (mut contents, mut is_complete) = (Vec::new(), false);
        converse(
            random,
            0,
            async |stack| {
                let mut socket = left.accept(stack).await.tcp;
                let mut rest = &answer[..];
                while !rest.is_empty() {
                    rest = &rest[socket.write(rest).await.unwrap()..];
                }
                socket.flush().await.unwrap();
                if is_reset {
                    socket.abort();
                } else {
                    socket.close();
                }
                socket.flush().await.unwrap();
            },
            async |stack| {
                let socket = right.connect(stack).await;
                let mut receiver = Receiver::<64>::new(Clock.now(), TransferConfig::default());
                receiver.request(Clock.now(), &request).unwrap();
                let outcome = AsyncStreamDriver::<_, 256>::new(socket)
                    .run(&mut receiver, &mut Clock, |event| {
                        match event {
                            ReceiverEvent::Response(answer) => assert_eq!(answer.size, 2),
                            ReceiverEvent::Contents(part) => contents.extend_from_slice(part),
                            ReceiverEvent::Complete => is_complete = true,
                            event => panic!("{event:?}"),
                        }
                        Continue(())
                    })
                    .await;
                let broken = Err(DriveError::Connection(Broken::ConnectionReset));
                assert_eq!(outcome, if is_reset { broken } else { Ok(()) });
            },
        );
        assert_eq!(contents, b"ok", "all of it has come");
        assert_eq!(is_complete, !is_reset);
    }
}
