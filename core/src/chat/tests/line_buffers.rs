use super::*;

#[test]
fn without_a_buffer_whole_lines_pass_and_others_wait() {
    let mut memory = ample(6, 2);
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl, dora] = hand.join_members();
    hand.say(anna, "an");
    hand.say(bert, "be");
    assert_eq!(hand.offer(carl, b"whole\nca"), ("guest3: whole\n".into(), 2));
    assert_eq!(hand.deadline(carl), Some(at(250)));
    assert_eq!(hand.wait(carl, 249), "");
    assert_eq!(hand.offer(carl, b"ca").1, 2);
    assert_eq!(hand.deadline(carl), Some(at(250)));
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
        hand.leave(anna, why);
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
            hand.leave(anna, LeaveReason::Lost);
        }
        hand.say(bert, "ha");
        assert_eq!(hand.say(bert, "lf\n"), "guest2: half\n", "{quits}");
    }
}

/// Each of its turn, and after the patience at the latest.
#[test]
fn who_holds_a_begun_line_is_waited_for_no_longer_than_the_patience() {
    let mut memory = ample(6, 1);
    let mut hand = Harness::new(memory.room(no_limit().with_quiet(Duration::MAX)));
    let [anna, bert, carl] = hand.join_members();
    hand.say(anna, "a");
    hand.now = at(100);
    assert_eq!(hand.offer(bert, b"be").1, 2);
    hand.now = at(200);
    assert_eq!(hand.offer(carl, b"ca").1, 2);
    assert_eq!([bert, carl].map(|id| hand.deadline(id)), [Some(at(350)); 2]);
    assert_eq!(hand.wait(bert, 349), "");
    assert_eq!(hand.deadline(anna), Some(at(10_000)));
    assert_eq!(hand.wait(carl, 350), "");
    assert!(hand.room.needs_poll());
    // It is Bert's turn, whoever asks first.
    assert_eq!(hand.offer(carl, b"ca").1, 2);
    hand.say(bert, "be");
    // Anna is told, and the rest of her line is skipped.
    assert_eq!(hand.deadline(anna), Some(Instant::ZERO));
    hand.say(anna, "nna\nnext\n");
    let told = "* your line took too long while others waited: it was refused\n";
    assert_eq!(hand.read(anna), told);
    assert_eq!(hand.deadline(anna), None);
    assert_eq!(hand.say(bert, "rt\n"), "guest2: bert\n");
    hand.say(carl, "ca");
    assert_eq!(hand.say(carl, "rl\n"), "guest3: carl\n");
    assert!(hand.read(carl).ends_with("guest1: next\nguest2: bert\n"));
}

#[test]
fn a_buffer_is_taken_from_the_source_that_has_most() {
    let mut memory = ample(6, 3);
    let config = no_limit().with_line_buffers_per_source(0).with_quiet(Duration::MAX);
    let mut hand = Harness::new(memory.room(config));
    let [bert, carl] = hand.join_members();
    hand.say(bert, "held for longest");
    let greedy = [(); 2].map(|()| hand.room.join(at(0), Source(9)).unwrap());
    for (id, millis) in greedy.into_iter().zip([10, 20]) {
        hand.now = at(millis);
        hand.say(id, "x");
    }
    assert_eq!(hand.offer(carl, b"ca").1, 2);
    assert_eq!(hand.wait(carl, 270), "");
    hand.say(carl, "ca");
    assert_eq!(greedy.map(|id| hand.deadline(id)), [Some(Instant::ZERO), Some(at(10_020))]);
    assert_eq!(hand.say(bert, "\n"), "guest1: held for longest\n");
}

#[test]
fn a_source_that_has_its_share_waits_in_nobodys_way_and_takes_from_itself() {
    let mut memory = ample(6, 2);
    let config = no_limit().with_line_buffers_per_source(1).with_quiet(Duration::MAX);
    let mut hand = Harness::new(memory.room(config));
    let [first, second, third] = [(); 3].map(|()| hand.room.join(at(0), Source(9)).unwrap());
    let [other] = hand.join_members();
    hand.say(first, "fi");
    for id in [second, third] {
        assert_eq!(hand.offer(id, b"x").1, 1);
    }
    hand.say(other, "ot");
    assert_eq!(hand.wait(second, 250), "");
    hand.say(second, "se");
    assert_eq!(hand.deadline(first), Some(Instant::ZERO));
    assert_eq!(hand.say(other, "her\n"), "guest4: other\n");
    assert_eq!(hand.say(second, "cond\n"), "guest2: second\n");
}

/// Whoever waits for the log beside it: none of them is waited for when it has been told.
#[test]
fn a_silent_member_whose_line_was_revoked_waits_for_room_no_longer_than_others() {
    let mut memory = Memory::new(6, 16, min_log_bytes(64), 1, 64);
    let mut hand = Harness::new(memory.room(no_limit().with_quiet(Duration::MAX)));
    let [anna, bert, carl, dora] = hand.join_members();
    let server = hand.room.operator();
    hand.say(anna, "half");
    assert_eq!(hand.offer(bert, b"x").1, 1);
    hand.now = at(100);
    while hand.offer(carl, b"line\n").1 == 0 {
        for id in [server, anna, bert] {
            hand.read(id);
        }
    }
    hand.end(carl);
    assert_eq!(hand.wait(bert, 250), "");
    assert_eq!(hand.wait(anna, 250), "");
    assert_eq!(hand.deadline(anna), Some(at(350)));
    for id in [dora, carl] {
        hand.read(id);
    }
    assert_eq!(hand.deadline(anna), Some(Instant::ZERO), "there is room");
    assert_eq!(hand.wait(anna, 260), "");
    let told = "* your line took too long while others waited: it was refused\n";
    assert!(hand.read(anna).ends_with(told));
    assert_eq!(hand.deadline(anna), None);
    // Nobody waits before another: who reads nothing is in nobody's way.
    hand.say(bert, "x");
    assert_eq!(hand.say(bert, "\n"), "guest2: x\n");
    hand.say(anna, "\n");
    hand.say_lines(bert, 5);
    hand.read(anna);
    assert_eq!(hand.say(anna, "whole\n"), "guest1: whole\n");
}

#[test]
fn who_waited_for_a_buffer_has_it_for_the_patience() {
    let mut memory = ample(6, 1);
    let mut hand = Harness::new(memory.room(no_limit().with_quiet(Duration::MAX)));
    let [anna, bert, carl] = hand.join_members();
    hand.say(anna, "a");
    for id in [bert, carl] {
        assert_eq!(hand.offer(id, b"x").1, 1);
    }
    hand.now = at(240);
    hand.say(anna, "\n");
    hand.say(bert, "x");
    assert_eq!(hand.deadline(carl), Some(at(490)));
    assert_eq!(hand.wait(carl, 489), "");
    assert_eq!(hand.deadline(bert), Some(at(10_240)), "it has its buffer still");
    assert_eq!(hand.wait(carl, 490), "");
    hand.say(carl, "x");
    assert_eq!(hand.deadline(bert), Some(Instant::ZERO), "it is told");
}

#[test]
fn a_begun_line_of_a_source_has_its_buffer_for_the_patience() {
    let mut memory = ample(6, 2);
    let config = no_limit().with_line_buffers_per_source(1).with_quiet(Duration::MAX);
    let mut hand = Harness::new(memory.room(config));
    let [first, second, third] = [(); 3].map(|()| hand.room.join(at(0), Source(9)).unwrap());
    hand.say(first, "x");
    for id in [second, third] {
        assert_eq!(hand.offer(id, b"x").1, 1);
    }
    hand.now = at(240);
    hand.room.needs_poll();
    hand.say(first, "\n");
    hand.say(second, "x");
    assert_eq!(hand.wait(third, 250), "");
    assert_eq!(hand.deadline(third), Some(at(490)), "since the other has held it");
    assert_eq!(hand.deadline(second), Some(at(10_240)));
    assert_eq!(hand.wait(third, 490), "");
    hand.say(third, "x");
    assert_eq!(hand.deadline(second), Some(Instant::ZERO), "it is told");
}

#[test]
fn who_waits_for_its_sources_share_has_a_turn_when_there_is_one() {
    let mut memory = ample(6, 2);
    let config = no_limit().with_line_buffers_per_source(1).with_quiet(Duration::MAX);
    let mut hand = Harness::new(memory.room(config));
    let [first, second] = [(); 2].map(|()| hand.room.join(at(0), Source(9)).unwrap());
    // Blanks alone say nothing, by which everybody would have a turn.
    hand.say(first, " ");
    assert_eq!(hand.offer(second, b"x").1, 1);
    hand.room.needs_poll();
    hand.say(first, "\n");
    hand.wait(first, 1);
    assert!(hand.room.needs_poll());
    hand.say(second, "x");
}

/// Of those who came when there was no account left, who share one.
#[test]
fn the_operator_shares_its_begun_lines_with_nobody() {
    let mut memory = ample(6, 3);
    memory.sources.truncate(1);
    let config = no_limit().with_line_buffers_per_source(1).with_quiet(Duration::MAX);
    let mut hand = Harness::new(memory.room(config));
    let server = hand.room.operator();
    let [anna, bert] = hand.join_members();
    hand.say(anna, "x");
    hand.say(server, "op");
    assert_eq!(hand.offer(bert, b"x").1, 1);
    hand.wait(bert, 250);
    hand.say(bert, "x");
    assert_eq!(hand.deadline(anna), Some(Instant::ZERO), "it is told");
    assert_eq!(hand.say(server, "en\n"), "server: open\n");
}
