//! How much of the stack was ever used. The linker gives it all the RAM that no static takes; what
//! runs before `main` has painted it.

use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    static _stack_end: u32;
    static _stack_start: u32;
}

/// The most bytes that were ever used, and how many there are.
pub(crate) fn usage() -> (usize, usize) {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let (mut at, mut unused) = (end, 0);
    // SAFETY: it stays within the stack, which is aligned RAM; some word of it is in use, here.
    while at < start && unsafe { at.read_volatile() } == STACK_PAINT_VALUE {
        // SAFETY: as above.
        at = unsafe { at.add(1) };
        unused += size_of::<u32>();
    }
    let size = start.addr() - end.addr();
    (size - unused, size)
}
