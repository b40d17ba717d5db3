//! What a channel lets through, and how it ends.

extern crate std;
use std::vec::Vec;

use super::harness::{CONFIG, End, NOW, buffers, dice, hex, key, open, with_open};
use crate::secure::{
    Channel, ChannelConfig, ChannelError, ChannelSetupError, Conversation, DEFAULT_TIMEOUT,
    LEAST_RECEIVE, LEAST_SEND, MAX_KEYS, SecuredError,
};
use crate::session::{Output, Session};
use crate::time::Duration;

/// What a server comes to that hears this.
fn heard_by_server(bytes: &[u8]) -> Result<(), ChannelError> {
    let (mut buffers, keys) = (buffers(1024, 64), [key(1)]);
    End::server(&keys, &mut buffers).hear(bytes)
}

/// What a client sends that opens a channel.
fn opening(number: u8) -> Vec<u8> {
    End::client(&key(number), &mut buffers(1024, 64)).send()
}

#[test]
fn it_is_known_which_key_the_client_has() {
    let keys: Vec<_> = (1..=64).map(key).collect();
    for number in [1, 2, 63, 64] {
        let mut buffers = buffers(1024, 64);
        let mut server = End::server(&keys, &mut buffers);
        server.hear(&opening(number)).unwrap();
        assert_eq!(server.channel.peer_key(), usize::from(number) - 1);
    }
    let (mut buffers, keys) = (buffers(1024, 64), [key(1), key(2)]);
    let mut server = End::server(&keys, &mut buffers);
    assert_eq!(server.hear(&opening(3)), Err(ChannelError::WrongKey));
    assert!(!server.channel.is_open());
    // It says nothing, and hears nothing more.
    assert_eq!((server.send().len(), server.hear(&opening(1))), (0, Err(ChannelError::WrongKey)));
}

#[test]
fn what_is_no_opening_is_refused_at_its_first_wrong_byte() {
    let whole = opening(1);
    assert_eq!(heard_by_server(&whole), Ok(()));
    let wrong = [
        (0, ChannelError::NotKeyed),
        (1, ChannelError::NotKeyed),
        (2, ChannelError::NotKeyed),
        (3, ChannelError::OtherVersion),
        (4, ChannelError::OtherConversation),
    ];
    for (at, failure) in wrong {
        let mut bytes = whole[..=at].to_vec();
        assert_eq!(heard_by_server(&bytes), Ok(()), "{at}");
        bytes[at] ^= 2;
        assert_eq!(heard_by_server(&bytes), Err(failure), "{at}");
    }
    for text in ["h", "GET / HTTP/1.1\r\n", "\0BW\x02", "\x16\x03\x01"] {
        assert_eq!(heard_by_server(text.as_bytes()), Err(ChannelError::NotKeyed));
    }
    for at in 5..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 2;
        assert_eq!(heard_by_server(&bytes), Err(ChannelError::WrongKey), "{at}");
    }
}

#[test]
fn a_client_believes_no_answer_but_that_of_who_has_the_key() {
    let answers: [(&[u8], ChannelError); 5] = [
        (b"", ChannelError::Refused),
        (b"w", ChannelError::NotKeyed),
        (&[b'x'; 50], ChannelError::NotKeyed),
        (&[1; 49], ChannelError::HandshakeCut),
        (&[1; 50], ChannelError::WrongKey),
    ];
    for (bytes, failure) in answers {
        let mut buffers = buffers(1024, 64);
        let mut client = End::client(&key(1), &mut buffers);
        client.send();
        let heard = client.hear(bytes).and_then(|()| client.end());
        assert_eq!(heard, Err(failure));
        client.talker.says.extend(b"hello");
        assert_eq!(client.send(), b"", "a client never falls back");
    }
}

#[test]
fn what_is_said_arrives_however_it_is_cut() {
    for (receive, send) in [(1024, 64), (1024, 4096), (65_536, 65_536), (100_000, 100_000)] {
        with_open([receive, send], |[mut client, mut server]| {
            let text: Vec<u8> = (0..70_000_u32).map(|at| (at % 251).to_le_bytes()[0]).collect();
            client.talker.says.extend(&text);
            client.talker.finishes = true;
            let sent = client.send();
            assert!(sent.len() > text.len() && client.has_shut_down);
            for piece in sent.chunks(777) {
                server.hear(piece).unwrap();
            }
            assert_eq!(server.talker.hears, text);
            assert!(server.talker.hears_end && !server.has_closed);
            // The other direction goes on.
            server.talker.says.extend(b"and you?");
            client.hear(&server.send()).unwrap();
            assert_eq!(client.talker.hears, b"and you?");
            server.talker.finishes = true;
            client.hear(&server.send()).unwrap();
            server.send();
            client.send();
            assert!(client.has_closed && server.has_closed);
        });
    }
}

#[test]
fn records_are_as_large_as_both_buffers_allow() {
    let largest = |receive, send| {
        let (mut at_client, mut at_server) = (buffers(receive, 64), buffers(1024, send));
        let keys = [key(1)];
        let [_, mut server] = open(&keys, &mut at_client, &mut at_server);
        server.talker.says.extend(std::vec![b'x'; 200_000]);
        let mut secured = server.secured();
        secured.prepare_transmit(NOW);
        let Output::Bytes { head, .. } = secured.poll_transmit() else { panic!("it is silent") };
        head.len()
    };
    assert_eq!(largest(1024, 1 << 20), 1024);
    assert_eq!(largest(2047, 1 << 20), 1024);
    assert_eq!(largest(2048, 1 << 20), 2048);
    assert_eq!(largest(1 << 20, 1 << 20), 65_536);
    assert_eq!(largest(1 << 20, 100), 100);
}

#[test]
fn what_the_session_does_not_take_is_left_in_the_input() {
    with_open([1024, 1024], |[mut client, mut server]| {
        client.talker.says.extend(b"one.two.three");
        client.talker.finishes = true;
        let sent = client.send();
        server.talker.takes = 4;
        server.hear(&sent).unwrap();
        assert_eq!(server.talker.hears, b"one.");
        // The last byte of the record, and all of the end's.
        assert_eq!(server.held.len(), 1 + 19);
        server.talker.takes = 2;
        server.hear(&[]).unwrap();
        assert_eq!((server.talker.hears.len(), server.talker.hears_end), (6, false));
        server.talker.takes = usize::MAX;
        server.hear(&[]).unwrap();
        assert_eq!(server.talker.hears, b"one.two.three");
        assert!(server.talker.hears_end && server.held.is_empty());
    });
}

/// A transport may say that enough has come in this turn, whatever it has left.
#[test]
fn what_is_left_in_the_input_is_taken_with_it_only() {
    with_open([1024, 1024], |[mut client, mut server]| {
        client.talker.says.extend(b"one.two.three.");
        let sent = client.send();
        let mut input = &sent[..];
        assert_eq!(server.secured().handle_input(NOW, &mut input), Ok(&b"one."[..]));
        let nothing = server.secured().handle_input(NOW, &mut &[][..]).map(|_| ());
        assert_eq!((nothing, input.len()), (Err(nb::Error::WouldBlock), 1));
        server.hear(input).unwrap();
        client.talker.says.extend(b"four.");
        server.hear(&client.send()).unwrap();
        assert_eq!(server.talker.hears, b"one.two.three.four.");
    });
}

#[test]
fn a_cut_is_no_end() {
    let mut whole = Vec::new();
    with_open([1024, 64], |[mut client, _]| {
        client.talker.says.extend([b'x'; 100]);
        client.talker.finishes = true;
        whole = client.send();
    });
    for length in 0..=whole.len() {
        with_open([1024, 64], |[_, mut server]| {
            server.hear(&whole[..length]).unwrap();
            let ended = server.end();
            assert_eq!(server.talker.hears_end, length == whole.len());
            assert_eq!(ended, if length == whole.len() { Ok(()) } else { Err(ChannelError::Cut) });
            let channel = server.channel;
            assert_eq!((channel.is_open(), channel.has_opened()), (ended.is_ok(), true));
        });
    }
}

#[test]
fn nothing_that_is_changed_moved_repeated_or_left_out_is_taken() {
    with_open([1024, 64], |[mut client, _]| {
        let mut records = Vec::new();
        for text in ["first.", "second.", "third."] {
            client.talker.says.extend(text.as_bytes());
            records.push(client.send());
        }
        let orders: [(&[usize], &[u8]); 5] = [
            (&[0, 0], b"first."),
            (&[1], b""),
            (&[0, 2], b"first."),
            (&[0, 1, 0], b"first.second."),
            (&[0, 1, 2, 1], b"first.second.third."),
        ];
        for (order, heard) in orders {
            with_open([1024, 64], |[_, mut server]| {
                let said: Vec<_> = order.iter().flat_map(|at| records[*at].clone()).collect();
                assert_eq!(server.hear(&said), Err(ChannelError::Forged));
                assert_eq!(server.talker.hears, heard);
                assert_eq!(server.send(), b"");
            });
        }
        for bit in 0..8 * records[0].len() {
            with_open([1024, 64], |[_, mut server]| {
                let mut changed = records[0].clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let heard = server.hear(&changed).and_then(|()| server.hear(&records[1]));
                // A length that is longer than what came may wait for more.
                assert!(matches!(heard, Ok(()) | Err(ChannelError::Forged)), "{bit}: {heard:?}");
                assert_eq!(server.talker.hears, b"");
            });
        }
    });
}

#[test]
fn what_its_own_peer_must_not_say_is_malformed() {
    // Data without any (the client's first record has been), an end with some, and another kind.
    for plain in [&[0][..], &[1, 0], &[2, 0], &[2]] {
        with_open([1024, 64], |[mut client, mut server]| {
            let sent = client.seal_raw(plain);
            assert_eq!(server.hear(&sent), Err(ChannelError::Malformed), "{plain:?}");
        });
        with_open([1024, 64], |[mut client, mut server]| {
            let sent = server.seal_raw(plain);
            assert_eq!(client.hear(&sent), Err(ChannelError::Malformed), "{plain:?}");
        });
    }
}

#[test]
fn nothing_follows_an_end() {
    for behind in [&[0, 0][..], b""] {
        with_open([1024, 64], |[mut client, mut server]| {
            let mut sent = client.seal_raw(&[1]);
            // Sealed or not: of what has the key there is nothing more.
            sent.extend(if behind.is_empty() { std::vec![0] } else { client.seal_raw(behind) });
            assert_eq!(server.hear(&sent), Err(ChannelError::Forged));
        });
    }
}

#[test]
fn a_handshake_ends_in_time() {
    let late = NOW + DEFAULT_TIMEOUT;
    let [mut at_client, mut at_server, mut at_silent] = [(); 3].map(|()| buffers(1024, 64));
    let keys = [key(1)];
    let mut answered = End::server(&keys, &mut at_silent);
    answered.hear(&opening(1)).unwrap();
    answered.send();
    let mut ends =
        [End::client(&keys[0], &mut at_client), End::server(&keys, &mut at_server), answered];
    for end in &mut ends {
        end.talker.deadline = Some(NOW);
        assert_eq!(end.secured().poll_deadline(), Some(late));
        assert_eq!(
            end.secured().handle_timeout(late - Duration::from_micros(1)),
            Err(nb::Error::WouldBlock)
        );
        assert_eq!(
            end.secured().handle_timeout(late),
            Err(nb::Error::Other(SecuredError::Channel(ChannelError::TimedOut)))
        );
        assert!(!end.channel.is_open() && end.talker.deadline.is_some());
    }
}

#[test]
fn the_end_of_a_direction_goes_out_in_time_and_the_session_s_time_stands_still() {
    with_open([1024, 64], |[mut client, _]| {
        client.talker.deadline = Some(NOW);
        assert_eq!(client.secured().poll_deadline(), Some(NOW));
        client.talker.says.extend([b'x'; 40]);
        client.talker.finishes = true;
        let mut secured = client.secured();
        secured.prepare_transmit(NOW);
        let late = NOW + DEFAULT_TIMEOUT;
        assert_eq!(secured.poll_deadline(), Some(late));
        assert_eq!(secured.handle_timeout(NOW), Err(nb::Error::WouldBlock));
        assert_eq!(
            secured.handle_timeout(late),
            Err(nb::Error::Other(SecuredError::Channel(ChannelError::Stalled)))
        );
    });
    with_open([1024, 64], |[mut client, _]| {
        client.talker.deadline = Some(NOW);
        client.talker.finishes = true;
        client.send();
        assert!(client.has_shut_down);
        assert_eq!(client.secured().poll_deadline(), Some(NOW));
    });
}

#[test]
fn a_stream_that_ends_before_the_first_record_was_cut_in_the_handshake() {
    for length in [0, 3, 53, 54] {
        let (mut buffers, keys) = (buffers(1024, 64), [key(1)]);
        let mut server = End::server(&keys, &mut buffers);
        server.hear(&opening(1)[..length]).unwrap();
        assert_eq!(server.end(), Err(ChannelError::HandshakeCut));
        assert!(!server.talker.hears_end);
    }
}

#[test]
fn a_channel_says_what_it_lacks() {
    let (mut random, keys) = (dice(0), [key(1)]);
    let mut client = |receive: usize, send: usize| {
        let [mut receive, mut send] = buffers(receive, send);
        Channel::client(NOW, CONFIG, &keys[0], &mut random, &mut receive, &mut send).map(|_| ())
    };
    assert_eq!(client(LEAST_RECEIVE - 1, LEAST_SEND), Err(ChannelSetupError::ReceiveBuffer));
    assert_eq!(client(LEAST_RECEIVE, LEAST_SEND - 1), Err(ChannelSetupError::SendBuffer));
    assert_eq!(client(LEAST_RECEIVE, LEAST_SEND), Ok(()));
    let config = ChannelConfig::new(Conversation::Hello).with_timeout(Duration::MAX);
    for (count, expected) in [
        (0, Err(ChannelSetupError::Keys)),
        (MAX_KEYS, Ok(())),
        (MAX_KEYS + 1, Err(ChannelSetupError::Keys)),
    ] {
        let keys: Vec<_> = (0..count).map(|_| key(1)).collect();
        let [mut receive, mut send] = buffers(1024, 64);
        let made = Channel::server(NOW, config, &keys, &mut random, &mut receive, &mut send);
        assert_eq!(made.map(|_| ()), expected);
    }
}

#[test]
fn no_secret_is_shown() {
    let (key, mut buffers) = (key(0x5a), buffers(1024, 64));
    let end = End::client(&key, &mut buffers);
    let shown = std::format!("{key:?} {:?}", end.channel);
    assert_eq!(shown, "Key(…) Channel { is_open: false, .. }");
    assert_eq!(hex("5a5a"), key.as_bytes()[..2]);
}
