//! Who proves what by its first record, and who cannot.

use super::harness::{CONFIG, End, NOW, buffers, dice, key};
use crate::secure::wire::{ANSWER, LENGTH, OVERHEAD};
use crate::secure::{Channel, ChannelError};

/// Of an empty record.
const EMPTY: usize = OVERHEAD;

#[test]
fn a_recorded_opening_opens_no_channel() {
    let [mut at_client, mut at_server, mut again] = [(); 3].map(|()| buffers(1024, 64));
    let keys = [key(1)];
    let mut client = End::client(&keys[0], &mut at_client);
    let recorded = client.send();
    let mut server = End::server(&keys, &mut at_server);
    server.talker.says.extend(b"who is there?");
    server.hear(&recorded).unwrap();
    let answer = server.send();
    assert_eq!(answer.len(), ANSWER, "it says something before it knows to whom");
    client.talker.says.extend(b"open the door.");
    client.hear(&answer).unwrap();
    let said = client.send();
    server.hear(&said).unwrap();
    assert!(server.channel.is_open());
    assert_eq!(server.talker.hears, b"open the door.");

    let [receive, send] = &mut again;
    let mut random = dice(0x60);
    let made = Channel::server(NOW, CONFIG, &keys, &mut random, receive, send);
    let mut server = End::new(made.unwrap());
    server.talker.says.extend(b"who is there?");
    server.hear(&recorded).unwrap();
    assert_eq!((server.send().len(), server.channel.is_open()), (ANSWER, false));
    assert_eq!(server.hear(&said), Err(ChannelError::Forged));
    assert!(server.talker.hears.is_empty() && !server.channel.is_open());
    assert_eq!(server.send(), b"");
}

#[test]
fn a_client_proves_that_it_has_the_key_by_what_it_says_or_by_nothing() {
    for (says, finishes, length) in [
        (&b""[..], false, EMPTY),
        (b"", true, EMPTY + OVERHEAD),
        (b"hello.", false, OVERHEAD + 6),
        (b"hello.", true, OVERHEAD + 6 + OVERHEAD),
    ] {
        let (mut at_client, mut at_server) = (buffers(1024, 128), buffers(1024, 128));
        let keys = [key(1)];
        let mut client = End::client(&keys[0], &mut at_client);
        let mut server = End::server(&keys, &mut at_server);
        client.talker.says.extend(says);
        client.talker.finishes = finishes;
        server.hear(&client.send()).unwrap();
        client.hear(&server.send()).unwrap();
        let sent = client.send();
        assert_eq!(sent.len(), length, "{says:?}");
        for at in 0..sent.len() {
            let is_whole = at >= LENGTH + usize::from(u16::from_be_bytes([sent[0], sent[1]]));
            assert_eq!(server.channel.is_open(), is_whole);
            server.hear(&sent[at..=at]).unwrap();
        }
        assert_eq!((&server.talker.hears[..], server.talker.hears_end), (says, finishes));
        assert!(server.channel.is_open());
    }
}

/// Another's client may have nothing to say at all.
#[test]
fn an_end_is_proof_as_well() {
    let (mut at_client, mut at_server) = (buffers(1024, 64), buffers(1024, 64));
    let keys = [key(1)];
    let mut client = End::client(&keys[0], &mut at_client);
    let mut server = End::server(&keys, &mut at_server);
    server.hear(&client.send()).unwrap();
    client.hear(&server.send()).unwrap();
    let end = client.seal_raw(&[1]);
    server.hear(&end).unwrap();
    assert!(server.channel.is_open() && server.talker.hears_end);
}
