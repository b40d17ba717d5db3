//! A system whose calls fail: the programs as they are, on a kernel that says no.
//!
//! A filter that the new process inherits (`seccomp(2)`) sends each call of one kind to the test
//! instead of carrying it out. A thread of the test then decides what becomes of it
//! (`seccomp_unotify(2)`): it goes through, it fails with an error of the test's choice, or it
//! moves fewer bytes than it was asked to. Nothing in the program is replaced, so it makes no
//! difference how it makes its calls, or from which thread. No privilege is needed.
//!
//! The calls are counted from the start of `main`: what the dynamic loader and the language's
//! run-time did before is not the program's to survive.
//!
//! | module | what it does |
//! |---|---|
//! | [`call`] | the system calls, and what each is about |
//! | `filter` | has the kernel ask |
//! | `notices` | what the kernel asks, and the answers |
//! | `order` | what is to be decided |
//! | `own_filter` | what the program would let through itself |
//! | `injector` | gives the order |
//! | `supervisor` | decides |
//! | `target` | the other process's memory and descriptors |
//! | `transfer` | makes a call in the other's place, for a part |
//! | `edges` | what `epoll(7)` would say once more |

pub mod call;
mod edges;
mod fault_injector;
mod filter;
mod notices;
mod order;
mod own_filter;
mod supervisor;
mod target;
mod transfer;

pub use call::Call;
pub use fault_injector::FaultInjector;
pub use order::{Fault, When};
