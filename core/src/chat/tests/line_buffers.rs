use super::*;

#[test]
fn without_a_buffer_whole_lines_pass_and_others_wait() {
    let mut memory = ample(6, 2);
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl, dora] = hand.join_members();
    hand.say(anna, "an");
    hand.say(bert, "be");
    assert_eq!(hand.offer(carl, b"whole\nca"), ("guest3: whole\n".into(), 2));
    assert_eq!(hand.deadline(carl), Some(at(50)));
    assert_eq!(hand.wait(carl, 50), "");
    assert_eq!(hand.offer(carl, b"ca").1, 2);
    assert_eq!(hand.deadline(carl), Some(at(100)), "no deadline that is over stays");
    // Whole by now, and too long ones are refused all the same.
    assert_eq!(hand.say(carl, "carl\r\n"), "guest3: carl\n");
    hand.say(carl, "x".repeat(1025) + "\n");
    assert!(hand.read(carl).ends_with("yours was refused\n"));
    assert_eq!(hand.deadline(carl), None);
    // A buffer is free with the line that it held.
    assert_eq!(hand.say(anna, "na\n"), "guest1: anna\n");
    hand.say(dora, "do");
    assert_eq!(hand.say(bert, "rt\n"), "guest2: bert\n");
    hand.say(carl, "ca");
    assert_eq!(hand.say(carl, "rl\n") + &hand.say(dora, "ra\n"), "guest3: carl\nguest4: dora\n");
}

#[test]
fn endless_lines_keep_no_buffer() {
    let mut memory = ample(6, 1);
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    // One is too long, the other takes too long.
    hand.say(anna, "x".repeat(600));
    hand.say(anna, "x".repeat(600));
    for tenth in 0..=100 {
        hand.now = at(100 * tenth);
        hand.say(bert, "x");
    }
    assert_eq!(hand.wait(bert, 10_000), "");
    hand.say(carl, "free ");
    hand.say(anna, "more");
    hand.say(bert, "more");
    assert_eq!(hand.say(carl, "again\n"), "guest3: free again\n");
    assert_eq!(hand.say(anna, "\nok\n") + &hand.say(bert, "\nok\n"), "guest1: ok\nguest2: ok\n");
}

#[test]
fn ends_and_departures_give_buffers_back() {
    let mut memory = ample(3, 1);
    let mut hand = Harness::new(memory.room(no_limit()));
    for number in 0..100 {
        let [anna] = hand.join_members();
        hand.say(anna, "unfinished");
        let why = if number % 2 == 0 {
            assert!(hand.end(anna).ends_with(": unfinished\n"));
            assert!(hand.read(anna).ends_with("|."));
            LeaveReason::Quit
        } else {
            LeaveReason::Lost
        };
        hand.room.leave(anna, why);
    }
}

#[test]
fn a_member_that_ends_or_leaves_does_not_take_its_buffer_with_it() {
    for quits in [false, true] {
        let mut memory = ample(3, 1);
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        hand.say(anna, "unfin");
        if quits {
            assert_eq!(hand.say(anna, "\n/quit"), "guest1: unfin\n");
            assert_eq!(hand.end(anna), "");
        } else {
            hand.room.leave(anna, LeaveReason::Lost);
        }
        hand.say(bert, "ha");
        assert_eq!(hand.say(bert, "lf\n"), "guest2: half\n", "{quits}");
    }
}
