//! What the TCP servers have in common: the door, and what all guests of one thread share.

use core::task::Poll;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Executor, Task, TaskId};
use barewire_linux::listener::{Accepted, Acceptor, Listener, Permit, Semaphore};
use barewire_linux::signals::Signals;
use barewire_linux::stream::TcpStream;
use barewire_linux::threads;

use crate::cli::failure::Failure;
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::server::listen as server;

/// What the tasks of one thread share. `H` is what the whole server has.
#[derive(Debug)]
pub(crate) struct Hall<'s, H> {
    pub(crate) house: &'s H,
    pub(crate) output: Printer,
    printer: TaskId,
    once: bool,
    /// With `once`, the place of the client that was served: nobody else gets it.
    served: Option<Permit>,
    failed: &'s AtomicBool,
}

impl<H> AsMut<Printer> for Hall<'_, H> {
    fn as_mut(&mut self) -> &mut Printer {
        &mut self.output
    }
}

/// Who a task serves.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) peer: SocketAddr,
    /// The client's place, free again when this is dropped.
    permit: Option<Permit>,
}

impl<H> Hall<'_, H> {
    /// What the output has collected in this turn is to be printed.
    pub(crate) fn print(&self, cx: &mut Context<'_, Self>) {
        cx.wake(self.printer);
    }

    /// Notes that a client failed, which is no failure of the server's; `what` follows its address.
    pub(crate) fn fail(&mut self, cx: &mut Context<'_, Self>, guest: &Guest, what: &str) {
        self.note(guest, what);
        cx.wake(self.printer);
    }

    /// The client is served. With `once`, so is the server.
    pub(crate) fn leave(&mut self, cx: &mut Context<'_, Self>, guest: &mut Guest) {
        if self.once {
            self.served = guest.permit.take();
            cx.stop();
        }
    }

    /// As [`fail`](Self::fail), once there are no more turns.
    pub(crate) fn note(&mut self, guest: &Guest, what: &str) {
        self.output.client_failed(&format!("{} {what}", guest.peer));
        self.failed.store(true, Ordering::Relaxed);
    }
}

/// Whom to let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    pub(crate) once: bool,
    /// How many at a time.
    pub(crate) max_clients: Option<NonZero<usize>>,
}

/// Serves until a signal, or with `once` one client: one thread for each of `listeners`, one task of
/// `welcome`'s making for each client, and the tasks that `staff` adds.
pub(crate) fn serve<H: Sync, G>(
    listeners: Vec<Listener>,
    signals: &Signals,
    door: Door,
    output: &Printer,
    house: &H,
    staff: impl for<'s> Fn(&mut Executor<'_, Hall<'s, H>>, &'s H) + Sync,
    welcome: impl Fn(&H, Instant, Guest, TcpStream) -> G + Copy + Sync,
) -> Result<(), Failure>
where
    G: for<'s> Task<Hall<'s, H>> + 'static,
{
    let once = door.once;
    let clients = if once { NonZero::new(1) } else { door.max_clients };
    let gate = clients.map(|clients| Semaphore::new(clients.get()));
    let anyone_failed = AtomicBool::new(false);
    let failed = &anyone_failed;
    let shares = server::shares(listeners, signals)?;
    threads::run(shares, |executor, _, (listener, signals)| {
        executor.spawn(Box::new(signals));
        let printer = executor.spawn(Box::new(FlushTask));
        executor.spawn(Box::new(Acceptor::new(
            listener,
            gate.clone(),
            move |hall: &mut Hall<'_, H>, cx: &mut Context<'_, _>, accepted: Accepted| {
                let Accepted { stream, peer, permit } = accepted;
                let guest = Guest { peer, permit };
                cx.spawn(Box::new(welcome(hall.house, cx.now(), guest, stream)));
            },
            |_: &mut Hall<'_, H>, error| {
                log::warn!("accepting pauses, those inside are served on: {}", describe(&error));
            },
        )));
        staff(executor, house);
        let output = output.for_thread();
        Ok(Hall { house, output, printer, once, served: None, failed })
    })
    .map_err(Failure::system)?;
    if once && anyone_failed.into_inner() { Err(Failure::Reported) } else { Ok(()) }
}

/// The task that writes what the others have collected, after them in the round in which they wake
/// it: so a crowd that speaks at once costs one system call.
#[derive(Debug)]
pub(crate) struct FlushTask;

impl<W: AsMut<Printer>> Task<W> for FlushTask {
    fn turn(&mut self, world: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        cx.set_background();
        let output = world.as_mut();
        output.flush();
        cx.set_deadline(output.poll_deadline(cx.now()));
        Poll::Pending
    }
}
