//! The plain form, from the client's side.

use super::*;

#[test]
fn the_name_goes_out_without_terminator_and_the_direction_ends() {
    let client = Client::plain("some name");
    assert_eq!((&client.sent[..], client.is_shut), (&b"some name"[..], true));
}

#[test]
fn nothing_is_no_file() {
    let mut client = Client::plain("a");
    client.hear_end(NOW);
    assert_eq!(client.seen, [Seen::Failed(ReceiverError::Nothing)]);
    assert!(!client.is_closed);
}

/// It is all that anybody can tell.
#[test]
fn what_came_before_the_end_counts_as_whole() {
    let mut client = Client::plain("a");
    client.hear(NOW, b"al");
    client.hear(NOW, b"pha");
    assert_eq!(client.seen, [Seen::Contents(b"alpha".to_vec())]);
    client.hear_end(NOW);
    client.hear_end(NOW);
    assert_eq!(client.seen[1..], [Seen::Complete]);
    assert!(client.is_closed);
}

#[test]
fn contents_of_any_kind_are_contents() {
    let mut client = Client::plain("a");
    client.hear(NOW, b"\0BW\x01\x03");
    client.hear_end(NOW);
    assert_eq!(client.seen[0], Seen::Contents(b"\0BW\x01\x03".to_vec()));
}

/// Both machines of the core: the end of the name is the end of the direction.
#[test]
fn a_plain_pair_agrees() {
    let mut client = Client::plain("a");
    let mut server = Server::<64>::new();
    server.hear(NOW, &client.sent);
    server.hear_end(NOW);
    assert!(server.is_closed);
    client.hear(NOW, &server.sent);
    client.hear_end(NOW);
    assert_eq!(client.seen, [Seen::Contents(b"alpha".to_vec()), Seen::Complete]);
}
