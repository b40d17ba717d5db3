//! What who recorded an opening comes to that sends it again.

use super::harness::{CONFIG, Dice, End, Failure, NOW, buffers, key};
use crate::secure::Channel;

#[test]
fn a_recorded_opening_opens_for_who_hears_and_says_nothing() {
    let (mut at_client, mut at_server, mut again) =
        (buffers(1024, 64), buffers(1024, 64), buffers(1024, 64));
    let keys = [key(1)];
    let mut client = End::client(&keys[0], &mut at_client);
    let recorded = client.send();
    let mut server = End::server(&keys, &mut at_server);
    server.hear(&recorded).unwrap();
    client.hear(&server.send()).unwrap();
    assert!(client.channel.is_confirmed() && !server.channel.is_confirmed());
    client.talker.says.extend(b"open the door.");
    let said = client.send();
    server.hear(&said).unwrap();
    assert!(server.channel.is_confirmed());

    let [receive, send] = &mut again;
    let mut random = Dice(0x60);
    let made = Channel::server(NOW, CONFIG, &keys, &mut random, receive, send);
    let mut server = End::new(made.unwrap());
    server.hear(&recorded).unwrap();
    assert!(server.channel.is_open() && !server.channel.is_confirmed());
    assert_eq!(server.hear(&said), Err(Failure::Forged));
    assert!(server.talker.hears.is_empty() && !server.channel.is_confirmed());
}
