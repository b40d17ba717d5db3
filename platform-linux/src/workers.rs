//! Threads for what would keep an executor waiting: the disk, and long computations.
//!
//! A [`WorkerPool`] has a bounded number of threads, started as they are needed and gone when there is
//! nothing to do for a while. Its queue is bounded, too, and a [`Share`] of it is what one source of
//! work gets: so many jobs in the queue, and no more than half of the threads, so that one who asks for
//! much, or whose disk does not answer, leaves room for the others.
//!
//! [`SingleFlight`] does what several ask for only once, and not at all if nobody asks any more.
//!
//! ```
//! use std::num::NonZero;
//! use std::task::Poll;
//!
//! use barewire_linux::executor::{Context, Executor, Task};
//! use barewire_linux::workers::{Share, SingleFlight, Ticket, WorkerPool};
//!
//! struct Asking {
//!     sums: SingleFlight<u64, u64>,
//!     share: Share,
//!     ticket: Option<Ticket<u64>>,
//! }
//!
//! impl Task<u64> for Asking {
//!     fn turn(&mut self, sum: &mut u64, cx: &mut Context<'_, u64>) -> Poll<()> {
//!         if self.ticket.is_none() {
//!             let waker = || cx.waker();
//!             let asked = self.sums.ask(&self.share, 100, waker, |_| (1..=100).sum());
//!             self.ticket = asked.ok();
//!         }
//!         match self.ticket.as_ref().map(|ticket| ticket.poll(|| cx.waker())) {
//!             Some(Ok(result)) => {
//!                 *sum = result;
//!                 Poll::Ready(())
//!             }
//!             _ => Poll::Pending,
//!         }
//!     }
//! }
//!
//! let pool = WorkerPool::new(NonZero::new(2).unwrap());
//! let (sums, share) = (SingleFlight::new(), pool.share());
//! let mut executor = Executor::new()?;
//! executor.spawn(Box::new(Asking { sums, share, ticket: None }));
//! let mut sum = 0;
//! executor.run(&mut sum)?;
//! assert_eq!(sum, 5050);
//! # Ok::<(), std::io::Error>(())
//! ```

mod pool;
mod single_flight;
#[cfg(test)]
mod tests;

pub use pool::{Full, QUEUE, SHARE_QUEUE, Share, WorkerPool};
pub use single_flight::{Interest, Lost, SingleFlight, Ticket};
