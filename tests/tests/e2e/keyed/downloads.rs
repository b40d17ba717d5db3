//! Downloads under a key: what was cut or changed under way never has the file's name, what is proven is
//! kept, and over an honest way the rest comes.

use barewire_tests::harness::framed::{SEGMENT, on_the_wire};
use barewire_tests::harness::keyed::{Interceptor, Recording, Side, Verdict, assert_keyed};

use super::END;
use super::scene::{Kind, NAME, Scene};
use super::tampering::{Manipulation, recorded};
use crate::file::fetch;

/// Of two segments, so that there is something to keep.
const SIZE: usize = SEGMENT + 600_000;

/// The record of the server's that is two thirds through its file, with the first segment behind it.
fn middle(recording: &Recording) -> usize {
    let mut carried = 0;
    let records = recording.messages(Side::Server);
    let begins = |record: &Vec<u8>| {
        carried += record.len() as u64;
        carried > on_the_wire(SIZE) * 2 / 3
    };
    records.iter().position(begins).expect("it is as long as that")
}

/// The last of the server's that has data.
fn last(recording: &Recording) -> usize {
    let records = recording.messages(Side::Server);
    records.iter().rposition(|record| record.len() > END).expect("it has said something")
}

#[test]
fn what_is_changed_or_cut_has_no_name_and_the_rest_comes_over_an_honest_way() {
    let scene = Scene::with_file(Kind::File, SIZE);
    let other = recorded(&scene);
    let last = last(&other);
    let server = scene.serve(&[]);
    for (number, keeps) in [(1, false), (middle(&other), true), (last, true)] {
        for manipulation in Manipulation::EACH {
            let is_told = manipulation.is_told(Kind::File, Side::Server, number, number == last);
            if !is_told || number == last && manipulation == Manipulation::LeaveOut {
                // Nothing is said behind it by which it could be told, before the stall.
                continue;
            }
            let context = format!("{manipulation:?} of record {number}");
            let manipulated = manipulation.of(Side::Server, number, &other);
            let way = Interceptor::start(server.address(), manipulated);
            scene.run_client(&way.at()).exits(1).says(manipulation.words(false));
            let names = scene.target.names();
            assert!(!names.contains(&NAME.to_owned()), "{context}: {names:?}");
            assert_eq!(names.contains(&format!("{NAME}.part")), keeps, "{context}: {names:?}");
            if !keeps {
                continue;
            }
            let way = Interceptor::reading(server.address());
            scene.run_client(&way.at()).exits(0).prints("resumed from 1.00 MiB");
            scene.target.assert_holds(NAME, &scene.contents);
            assert_eq!(scene.target.names(), [NAME]);
            scene.forget();
            let [seen] = &way.recordings()[..] else { panic!("one connection") };
            let carried = seen.of(Side::Server);
            assert!((carried.len() as u64) < on_the_wire(SIZE) * 3 / 4, "it is fetched again");
            assert_keyed(Side::Server, Kind::File.conversation(), carried);
        }
    }
    server.stop();
}

/// A bit of the handshake's answer can be another in passing; but for good it is as if the key were another.
#[test]
fn an_answer_that_is_damaged_is_asked_for_again_a_few_times() {
    let scene = Scene::new(Kind::File);
    let server = scene.serve(&[]);
    for (damaged, exit, retries) in [(1, 0, 1), (usize::MAX, 1, 2)] {
        let way = Interceptor::start(server.address(), move |message| {
            let mut bytes = message.bytes;
            if message.from == Side::Server && message.number == 0 && message.connection < damaged {
                bytes[20] ^= 1;
            }
            Verdict::Pass(bytes)
        });
        let options = [NAME, "--key", scene.key.arg()];
        let client = fetch(&way.at(), &scene.target, &options).exits(exit);
        let client = client.says(&["another key, or the answer was damaged under way"]);
        assert_eq!(client.error().matches("trying again").count(), retries, "{client:?}");
        assert_eq!(scene.was_served(&client), exit == 0, "{client:?}");
        if exit == 0 {
            scene.forget();
        }
    }
    server.stop();
}

/// In one run.
#[test]
fn it_is_tried_again_by_itself() {
    let scene = Scene::with_file(Kind::File, SIZE);
    let other = recorded(&scene);
    let number = middle(&other);
    let server = scene.serve(&[]);
    let way = Interceptor::start(server.address(), move |message| {
        let mut bytes = message.bytes;
        match (message.from, message.connection, message.number) {
            (Side::Server, 0, at) if at == number => Verdict::End(bytes),
            (Side::Server, 1, 3) => {
                bytes[100] ^= 1;
                Verdict::Pass(bytes)
            }
            _ => Verdict::Pass(bytes),
        }
    });
    let client = fetch(&way.at(), &scene.target, &[NAME, "--key", scene.key.arg()]).exits(0);
    assert_eq!(client.error().matches("trying again").count(), 2, "{client:?}");
    scene.target.assert_holds(NAME, &scene.contents);
    server.stop();
}
