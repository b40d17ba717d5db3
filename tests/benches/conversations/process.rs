//! A server under measurement, as the system sees it from outside: processor time, memory, files.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// How long a server may take to listen, and to end when told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two looks at something that cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What `sched_setaffinity(2)` takes for the caller.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// A running server. Dropping it kills it; [`Server::stop`] ends it in order.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// Held open, so that the server never writes into a broken pipe.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts `command` on a free port, and learns which from its first line,
    /// `listening on ADDRESS:PORT`.
    ///
    /// # Errors
    ///
    /// The program cannot be run, or its first line is something else.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command.arg("127.0.0.1:0").stdout(Stdio::piped());
        let mut server = Self::spawn(command)?;
        let line = server.first_line()?;
        server.address = line
            .trim_end()
            .strip_prefix("listening on ")
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| io::Error::other(format!("its first line is {line:?}")))?;
        Ok(server)
    }

    /// Starts `command`, a TCP server, with all that it prints going to `/dev/null`. It cannot say
    /// where it listens, so it is told a port that was free a moment ago.
    ///
    /// # Errors
    ///
    /// The program cannot be run, or does not listen in time.
    pub(crate) fn start_unheard(mut command: Command) -> io::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        command.arg(address.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self::spawn(command)?;
        server.address = address;
        let started = Instant::now();
        while let Err(error) = TcpStream::connect(address) {
            server.check_alive()?;
            if started.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(server)
    }

    fn spawn(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).spawn()?;
        Ok(Self {
            address: (Ipv4Addr::UNSPECIFIED, 0).into(),
            stdout: child.stdout.take().map(BufReader::new),
            child,
        })
    }

    fn first_line(&mut self) -> io::Result<String> {
        let stdout = self.stdout.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut ready = [PollFd::new(stdout.get_ref().as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX))? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it does not say where it listens",
            ));
        }
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        Ok(line)
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's processes: the one that was started, and those that it has started itself.
    fn processes(&self) -> io::Result<Vec<Pid>> {
        let first = self.child.id();
        let others = fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let others = others.split_whitespace().flat_map(str::parse).map(Pid::from_raw);
        Ok(std::iter::once(pid(&self.child)).chain(others).collect())
    }

    /// Processor time spent since the server started, user and system, of all its threads.
    ///
    /// The clock of `clock_getcpuclockid(3)` counts nanoseconds where `/proc/PID/stat` counts ticks,
    /// and can be read around the load alone where `wait4(2)` includes start and stop.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        let mut spent = Duration::ZERO;
        for process in self.processes()? {
            spent += Duration::from(clock_getcpuclockid(process)?.now()?);
        }
        Ok(spent)
    }

    /// Waits until the server has stopped working: 20 ms have passed without any processor time.
    pub(crate) fn settle(&self) -> io::Result<()> {
        let started = Instant::now();
        let mut before = self.processor_time()?;
        while started.elapsed() < PATIENCE {
            std::thread::sleep(4 * LOOK_AGAIN);
            let now = self.processor_time()?;
            if now == before {
                return Ok(());
            }
            before = now;
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "it is busy with nothing to do"))
    }

    /// Bytes of memory that the server has for itself and has written to: heap, stacks and data.
    ///
    /// `Private_Dirty` of `/proc/PID/smaps_rollup` is counted page by page when it is read; the
    /// counters of `/proc/PID/status` may be off by dozens of pages a processor.
    pub(crate) fn private_bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for process in self.processes()? {
            let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            bytes += rollup
                .lines()
                .find_map(|line| line.strip_prefix("Private_Dirty:"))
                .and_then(|rest| rest.trim().strip_suffix(" kB"))
                .and_then(|kibibytes| kibibytes.parse::<u64>().ok())
                .map(|kibibytes| kibibytes * 1024)
                .ok_or_else(|| io::Error::other("smaps_rollup does not tell Private_Dirty"))?;
        }
        Ok(bytes)
    }

    /// How many files, sockets among them, the server has open.
    pub(crate) fn open_files(&self) -> io::Result<usize> {
        let mut open = 0;
        for process in self.processes()? {
            open += fs::read_dir(format!("/proc/{process}/fd"))?.count();
        }
        Ok(open)
    }

    /// Does `work` with this thread and all threads of the server on one and the same processor, so
    /// that waking one another never means waking an idle processor.
    pub(crate) fn on_one_processor<T>(
        &self,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let allowed = sched_getaffinity(THIS_THREAD)?;
        let (one, _) = split(&allowed)?;
        self.between(&one, &one, &allowed, work)
    }

    /// Does `work` with the server on a processor of its own, and this thread and those that it
    /// starts on the others, if there are others.
    pub(crate) fn apart<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let allowed = sched_getaffinity(THIS_THREAD)?;
        let (one, others) = split(&allowed)?;
        self.between(&one, &others, &allowed, work)
    }

    fn between<T>(
        &self,
        server: &CpuSet,
        this_thread: &CpuSet,
        afterwards: &CpuSet,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        self.move_to(server)?;
        sched_setaffinity(THIS_THREAD, this_thread)?;
        let outcome = work();
        self.move_to(afterwards)?;
        sched_setaffinity(THIS_THREAD, afterwards)?;
        outcome
    }

    fn move_to(&self, processors: &CpuSet) -> io::Result<()> {
        for process in self.processes()? {
            for entry in fs::read_dir(format!("/proc/{process}/task"))? {
                let thread = entry?.file_name().to_str().and_then(|name| name.parse().ok());
                let thread = thread.ok_or_else(|| io::Error::other("a thread without a number"))?;
                match sched_setaffinity(Pid::from_raw(thread), processors) {
                    // A thread of a pool may end at any time.
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Ends the server with `SIGTERM`.
    ///
    /// # Errors
    ///
    /// It had ended before, or does not end now.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        self.check_alive()?;
        kill(pid(&self.child), Signal::SIGTERM)?;
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "SIGTERM does not end it"));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    fn check_alive(&mut self) -> io::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(io::Error::other(format!("it has ended, {status}"))),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // All of these fail only if the server has ended already. Its own children go after it, so
        // that it cannot start others in their place.
        let processes = self.processes().unwrap_or_default();
        let _ = self.child.kill();
        for process in processes.iter().skip(1) {
            let _ = kill(*process, Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// Runs a client, or a tool, to its end.
///
/// # Errors
///
/// It cannot be run, or fails.
pub(crate) fn succeed(client: &mut Command) -> io::Result<()> {
    let status = client.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("the client has failed, {status}")))
    }
}

/// Processor time that this process, the load generator, has spent.
pub(crate) fn own_processor_time() -> io::Result<Duration> {
    Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?.into())
}

/// The first of some processors, and the others, or the first again if there are none.
fn split(processors: &CpuSet) -> io::Result<(CpuSet, CpuSet)> {
    let (mut one, mut others, mut found) = (CpuSet::new(), CpuSet::new(), 0);
    for processor in 0..CpuSet::count() {
        if processors.is_set(processor)? {
            let half = if found == 0 { &mut one } else { &mut others };
            half.set(processor)?;
            found += 1;
        }
    }
    Ok((one, if found > 1 { others } else { one }))
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}
