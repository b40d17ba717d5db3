use super::*;
use crate::executor::Origin;

fn buffers() -> (Buffers, Arc<[u8]>) {
    let mut buffers = Buffers::new();
    let scratch = mem::take(&mut buffers.scratch);
    (buffers, scratch)
}

#[test]
fn a_buffer_that_nobody_keeps_stays() {
    let (mut buffers, mut scratch) = buffers();
    let place = scratch.as_ptr();
    drop(Origin::new(&scratch).keep(&scratch));
    renew(&mut scratch, &mut buffers.kept);
    assert_eq!((scratch.as_ptr(), buffers.kept.len()), (place, 0));
}

#[test]
fn what_is_kept_is_not_overwritten_and_its_buffer_comes_back() {
    let (mut buffers, mut scratch) = buffers();
    let place = scratch.as_ptr();
    let mut kept = Vec::new();
    for mark in 1..=3 {
        renew(&mut scratch, &mut buffers.kept);
        Arc::get_mut(&mut scratch).unwrap().fill(mark);
        kept.push(Origin::new(&scratch).keep(&scratch));
    }
    renew(&mut scratch, &mut buffers.kept);
    assert_eq!(scratch.len(), SCRATCH);
    for (kept, mark) in kept.iter().zip(1..) {
        assert!(kept.iter().all(|byte| *byte == mark));
    }
    assert_eq!(buffers.kept.len(), 3);

    // The oldest is free first.
    kept.remove(0);
    kept.push(Origin::new(&scratch).keep(&scratch));
    renew(&mut scratch, &mut buffers.kept);
    assert_eq!((scratch.as_ptr(), buffers.kept.len()), (place, 3));
    assert!(Arc::get_mut(&mut scratch).is_some());
}

#[test]
fn only_so_many_are_remembered() {
    let (mut buffers, mut scratch) = buffers();
    let mut kept = Vec::new();
    for _ in 0..REMEMBERED + 5 {
        renew(&mut scratch, &mut buffers.kept);
        kept.push(Origin::new(&scratch).keep(&scratch));
    }
    assert_eq!(buffers.kept.len(), REMEMBERED);
    drop(kept);
    renew(&mut scratch, &mut buffers.kept);
    assert!(Arc::get_mut(&mut scratch).is_some());
}
