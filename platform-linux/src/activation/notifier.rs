//! Telling a service manager how the server does.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_core::time::Duration;
use nix::time::{ClockId, clock_gettime};

/// The service manager, if one wants to know how the server does. Its clones are the same.
#[derive(Clone, Debug)]
pub struct Notifier(Option<Arc<Manager>>);

#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    hears_of_the_stop: AtomicBool,
}

impl Notifier {
    /// Connects to where the service manager listens (`NOTIFY_SOCKET`), if one does. To be called before
    /// the process is [confined](crate::sandbox::confine()): afterwards it could not be reached.
    ///
    /// # Errors
    /// Those of the socket: nobody listens there, say.
    pub fn connect() -> io::Result<Self> {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Ok(Self(None)) };
        // A path, or after an `@` a name in the abstract space (`unix(7)`).
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        // A manager that hangs holds nobody up.
        socket.set_nonblocking(true)?;
        Ok(Self(Some(Arc::new(Manager { socket, hears_of_the_stop: AtomicBool::new(false) }))))
    }

    /// Nobody.
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Tells it that the server is ready, or has [reloaded](Self::reloading) (`READY=1`); nothing once it
    /// [stops](Self::stopping).
    ///
    /// # Errors
    /// Those of the socket: nobody listens there any more, say.
    pub fn ready(&self) -> io::Result<()> {
        let stops = |manager: &Arc<Manager>| manager.hears_of_the_stop.load(Ordering::Relaxed);
        if self.0.as_ref().is_some_and(stops) { Ok(()) } else { self.tell("READY=1\n") }
    }

    /// Tells it that the server reads its files anew, until it is [ready](Self::ready) again
    /// (`RELOADING=1`, with the time, as `Type=notify-reload` wants it).
    ///
    /// # Errors
    /// As for [`ready`](Self::ready).
    pub fn reloading(&self) -> io::Result<()> {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
        let micros = now.tv_sec() * 1_000_000 + now.tv_nsec() / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\n"))
    }

    /// Tells it that the server has begun to stop (`STOPPING=1`).
    ///
    /// # Errors
    /// As for [`ready`](Self::ready).
    pub fn stopping(&self) -> io::Result<()> {
        if let Some(manager) = &self.0 {
            manager.hears_of_the_stop.store(true, Ordering::Relaxed);
        }
        self.tell("STOPPING=1\n")
    }

    /// Tells it that the server is alive (`WATCHDOG=1`).
    ///
    /// # Errors
    /// As for [`ready`](Self::ready).
    pub fn alive(&self) -> io::Result<()> {
        self.tell("WATCHDOG=1\n")
    }

    /// Within what time it wants to hear that the server is [alive](Self::alive), again and again
    /// (`WATCHDOG_USEC`, `WATCHDOG_PID`; `sd_watchdog_enabled(3)`), if it does.
    pub fn watchdog(&self) -> Option<Duration> {
        self.0.as_ref()?;
        if let Ok(pid) = env::var("WATCHDOG_PID")
            && pid.parse() != Ok(process::id())
        {
            return None;
        }
        let micros = env::var("WATCHDOG_USEC").ok()?.parse().ok().filter(|micros| *micros > 0)?;
        Some(Duration::from_micros(micros))
    }

    fn tell(&self, state: &str) -> io::Result<()> {
        let Some(manager) = &self.0 else { return Ok(()) };
        manager.socket.send(state.as_bytes()).map(drop)
    }
}
