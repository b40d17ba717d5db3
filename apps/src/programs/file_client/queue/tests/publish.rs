//! When files get their names.

use super::*;

/// The disk is waited for once for all that come together; but none is kept back for long.
#[test]
fn files_get_their_names_together_and_soon() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let files = ["a", "b", "c"].map(|name| file(name, &target)).into();
    let mut fixture = Fixture::new(&mut output, files);
    fixture.ask();
    let header =
        ResponseHeader { offset: 0, length: 0, size: 0, tag: 7, modified: 0, verified: true };
    let mut come = |now| {
        fixture.queue.take(ReceiverEvent::Response(header)).unwrap();
        fixture.queue.take(ReceiverEvent::Complete).unwrap();
        fixture.queue.publish_in_time(now)
    };
    let has = |name| folder.path().join(name).exists();
    let by = come(Instant::ZERO);
    assert_eq!(by, Some(Instant::ZERO + HOLD));
    assert_eq!((come(Instant::ZERO), has("a")), (by, false));
    // No more will come.
    assert_eq!((come(Instant::ZERO), has("a"), has("c")), (None, true, true));
    fixture.queue.reporter.output.take();
    drop(fixture);

    let files = ["d", "e"].map(|name| file(name, &target)).into();
    let mut fixture = Fixture::new(&mut output, files);
    fixture.ask();
    fixture.queue.take(ReceiverEvent::Response(header)).unwrap();
    fixture.queue.take(ReceiverEvent::Complete).unwrap();
    assert!(fixture.queue.publish_in_time(Instant::ZERO).is_some());
    // Others need not wait for it.
    let soon = Instant::ZERO + HOLD;
    assert_eq!(fixture.queue.publish_in_time(soon), Some(soon + HOLD));
    assert_eq!(fixture.queue.reporter.tree.files, 0, "it is not certain that it lasts");
    assert_eq!(fixture.queue.publish_in_time(soon + HOLD), None);
    assert!(has("d") && fixture.queue.reporter.tree.files == 1);
    fixture.queue.reporter.output.take();
}

/// While a batch gets its names, more can come.
#[test]
fn a_batch_gets_its_names_behind() {
    const BATCH: usize = 32;
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let name = |number: usize| format!("{number}");
    let files = (0..BATCH + 2).map(|number| file(&name(number), &target)).collect();
    let mut fixture = Fixture::new(&mut output, files);
    fixture.queue.batch = BATCH;
    fixture.ask();
    let header =
        ResponseHeader { offset: 0, length: 0, size: 0, tag: 7, modified: 0, verified: true };
    let later = Instant::ZERO + barewire_core::time::Duration::from_millis(1);
    let mut by = None;
    for number in 0..=BATCH {
        let now = if number < BATCH - 1 { Instant::ZERO } else { later };
        fixture.queue.take(ReceiverEvent::Response(header)).unwrap();
        fixture.queue.take(ReceiverEvent::Complete).unwrap();
        by = fixture.queue.publish_in_time(now);
        assert_eq!(fixture.queue.completing.is_some(), number >= BATCH - 1);
    }
    // Who waits for it is told of it in time.
    assert_eq!(by, Some(later + HOLD));
    assert_eq!(fixture.queue.publish_in_time(later + HOLD), Some(later + HOLD + HOLD));
    assert_eq!(fixture.queue.publish_in_time(later + HOLD + HOLD), None);
    assert!((0..=BATCH).all(|number| folder.path().join(name(number)).exists()));
    fixture.queue.reporter.output.take();
}
