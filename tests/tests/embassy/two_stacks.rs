//! Two stacks on the two ends of a link, and time that passes only while nobody has anything to do.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use barewire_core::time::{Duration, Instant};
use barewire_embassy_net::Socket;
use barewire_tests::simulator::random::Random;
use embassy_net::driver::{self, Capabilities, Driver, HardwareAddress, LinkState};
use embassy_net::tcp::TcpSocket;
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Stack, StackResources, StaticConfigV4};

pub(crate) const LEFT: Ipv4Address = Ipv4Address::new(192, 0, 2, 1);
pub(crate) const RIGHT: Ipv4Address = Ipv4Address::new(192, 0, 2, 2);
pub(crate) const PORT: u16 = 9000;

/// No conversation here takes so long, unless it hangs and only its stack is alive.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The time, and who is to be woken when: each once, as by the timers of embassy.
struct Alarms {
    now: Instant,
    pending: Vec<(Instant, Waker)>,
}

impl Alarms {
    const fn new(now: Instant) -> Self {
        Self { now, pending: Vec::new() }
    }

    fn enter(&mut self, at: Instant, waker: &Waker) {
        match self.pending.iter_mut().find(|(_, other)| other.will_wake(waker)) {
            Some((earlier, _)) => *earlier = at.min(*earlier),
            None => self.pending.push((at, waker.clone())),
        }
    }

    /// Lets time pass until the next alarm.
    fn advance(&mut self) -> Option<Waker> {
        let (index, _) = self.pending.iter().enumerate().min_by_key(|(_, (at, _))| *at)?;
        let (at, waker) = self.pending.swap_remove(index);
        self.now = self.now.max(at);
        Some(waker)
    }
}

thread_local! {
    /// Each test runs in a thread of its own, and so in a time of its own.
    static ALARMS: RefCell<Alarms> = const { RefCell::new(Alarms::new(Instant::ZERO)) };
}

struct VirtualTime;

embassy_time_driver::time_driver_impl!(static TIME: VirtualTime = VirtualTime);

impl embassy_time_driver::Driver for VirtualTime {
    fn now(&self) -> u64 {
        ALARMS.with_borrow(|alarms| alarms.now).as_micros()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        ALARMS.with_borrow_mut(|alarms| alarms.enter(Instant::from_micros(at), waker));
    }
}

/// One direction of a link.
#[derive(Default)]
struct Direction {
    frames: RefCell<VecDeque<Vec<u8>>>,
    /// Who takes them out.
    receiver: Cell<Option<Waker>>,
}

/// A network interface at one end of a link.
struct Interface<'l> {
    incoming: &'l Direction,
    outgoing: &'l Direction,
    largest_frame: usize,
    /// In how many of a hundred cases a frame is lost.
    loss: u8,
    random: Random,
}

/// A frame that came in.
struct Frame(Vec<u8>);

impl driver::RxToken for Frame {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, take: F) -> R {
        take(&mut self.0)
    }
}

/// Room for a frame, which may be lost.
struct Room<'l> {
    outgoing: &'l Direction,
    is_lost: bool,
}

impl driver::TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        if !self.is_lost {
            self.outgoing.frames.borrow_mut().push_back(frame);
            self.outgoing.receiver.take().inspect(Waker::wake_by_ref);
        }
        result
    }
}

impl<'l> Interface<'l> {
    fn room(&mut self) -> Room<'l> {
        Room { outgoing: self.outgoing, is_lost: self.random.chance(self.loss) }
    }
}

impl Driver for Interface<'_> {
    type RxToken<'a>
        = Frame
    where
        Self: 'a;
    type TxToken<'a>
        = Room<'a>
    where
        Self: 'a;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Frame, Room<'_>)> {
        let frame = self.incoming.frames.borrow_mut().pop_front();
        if frame.is_none() {
            self.incoming.receiver.set(Some(context.waker().clone()));
        }
        Some((Frame(frame?), self.room()))
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Room<'_>> {
        Some(self.room())
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = self.largest_frame;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ip
    }
}

/// Runs two programs to their ends, each on a stack of its own at one end of a link, which loses so
/// many of a hundred frames. The server's is the first.
pub(crate) fn converse(
    random: &mut Random,
    loss: u8,
    left: impl AsyncFnOnce(Stack<'_>),
    right: impl AsyncFnOnce(Stack<'_>),
) {
    let start = Instant::ZERO + random.span(Duration::ZERO..=Duration::from_secs(1 << 32));
    ALARMS.set(Alarms::new(start));
    let (there, back) = Default::default();
    let largest_frame = random.count(296..=1500);
    let mut plug = |incoming, outgoing| {
        let random = random.fork();
        Interface { incoming, outgoing, largest_frame, loss, random }
    };
    let interfaces = (plug(&there, &back), plug(&back, &there));
    let mut resources = (StackResources::<4>::new(), StackResources::<4>::new());
    let (left_stack, mut left_runner) = embassy_net::new(
        interfaces.0,
        config(LEFT),
        &mut resources.0,
        random.count(0..=usize::MAX) as u64,
    );
    let (right_stack, mut right_runner) = embassy_net::new(
        interfaces.1,
        config(RIGHT),
        &mut resources.1,
        random.count(0..=usize::MAX) as u64,
    );
    // The stacks serve as long as either program runs.
    run(
        [pin!(left(left_stack)), pin!(right(right_stack))],
        [pin!(async { left_runner.run().await }), pin!(async { right_runner.run().await })],
    );
}

fn config(address: Ipv4Address) -> Config {
    let address = Ipv4Cidr::new(address, 24);
    let dns_servers = heapless::Vec::new();
    Config::ipv4_static(StaticConfigV4 { address, gateway: None, dns_servers })
}

type Task<'t> = Pin<&'t mut dyn Future<Output = ()>>;

/// Whether a task is to be polled.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What has a stack work, and whether it is to be polled.
type Runner = (Pin<Box<dyn Future<Output = ()>>>, Arc<Woken>);

/// Two stacks on a link that loses nothing, which a test polls when it likes. They are never freed.
pub(crate) struct Leaked {
    pub(crate) stacks: [Stack<'static>; 2],
    runners: Vec<Runner>,
}

impl Leaked {
    pub(crate) fn new() -> Self {
        ALARMS.set(Alarms::new(Instant::ZERO));
        let [there, back]: [&'static Direction; 2] = [(); 2].map(|()| &*Box::leak(Box::default()));
        let plug = |incoming, outgoing| {
            let random = Random::new(0);
            Interface { incoming, outgoing, largest_frame: 1_500, loss: 0, random }
        };
        let mut runners: Vec<Runner> = Vec::new();
        let stacks =
            [(plug(there, back), LEFT), (plug(back, there), RIGHT)].map(|(link, address)| {
                let resources = Box::leak(Box::new(StackResources::<4>::new()));
                let (stack, mut runner) = embassy_net::new(link, config(address), resources, 7);
                let serve = Box::pin(async move { runner.run().await });
                runners.push((serve, Arc::new(Woken(AtomicBool::new(true)))));
                stack
            });
        Self { stacks, runners }
    }

    /// Lets the stacks work, and their time pass, until nothing happens for a while: longer than an
    /// acknowledgement is put off (RFC 9293 §3.8.6.3).
    pub(crate) fn settle(&mut self) {
        const QUIET: Duration = Duration::from_millis(50);
        loop {
            let mut is_idle = true;
            for (runner, woken) in &mut self.runners {
                if woken.0.swap(false, Ordering::Relaxed) {
                    is_idle = false;
                    let waker = Arc::clone(woken).into();
                    let _ = runner.as_mut().poll(&mut Context::from_waker(&waker));
                }
            }
            if is_idle {
                let alarm = ALARMS.with_borrow_mut(|alarms| {
                    let soon = alarms.now + QUIET;
                    let next = alarms.pending.iter().map(|(at, _)| *at).min();
                    next.is_some_and(|at| at <= soon).then(|| alarms.advance()).flatten()
                });
                match alarm {
                    Some(alarm) => alarm.wake(),
                    None => return,
                }
            }
        }
    }
}

/// Polls tasks that are woken, and none else, until the programs have ended. While nobody is, time
/// goes on to the next alarm.
fn run<'t>(programs: [Task<'t>; 2], stacks: [Task<'t>; 2]) {
    let mut tasks: Vec<_> = programs
        .into_iter()
        .chain(stacks)
        .map(|task| (Some(task), Arc::new(Woken(AtomicBool::new(true)))))
        .collect();
    let end = ALARMS.with_borrow(|alarms| alarms.now) + LONGEST;
    while tasks[..2].iter().any(|(program, _)| program.is_some()) {
        let mut is_idle = true;
        for (task, woken) in &mut tasks {
            if let Some(running) = task
                && woken.0.swap(false, Ordering::Relaxed)
            {
                is_idle = false;
                let waker = Arc::clone(woken).into();
                if running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    *task = None;
                }
            }
        }
        if is_idle {
            let alarm = ALARMS.with_borrow_mut(Alarms::advance);
            alarm.expect("everybody waits for somebody else").wake();
            assert!(ALARMS.with_borrow(|alarms| alarms.now) < end, "only the stacks are alive");
        }
    }
}

/// What a socket keeps its bytes in.
pub(crate) struct Buffers {
    receive: Vec<u8>,
    send: Vec<u8>,
}

impl Buffers {
    /// Buffers of at most so many bytes each.
    pub(crate) fn some(random: &mut Random, most: usize) -> Self {
        let mut some = || vec![0; random.count(16..=most)];
        Self { receive: some(), send: some() }
    }

    pub(crate) fn socket<'a>(&'a mut self, stack: Stack<'a>) -> TcpSocket<'a> {
        TcpSocket::new(stack, &mut self.receive, &mut self.send)
    }

    /// Waits for a client.
    pub(crate) async fn accept<'a>(&'a mut self, stack: Stack<'a>) -> Socket<'a> {
        let mut socket = self.socket(stack);
        socket.accept(PORT).await.unwrap();
        Socket::new(socket)
    }

    /// Connects to the server on the first stack.
    pub(crate) async fn connect<'a>(&'a mut self, stack: Stack<'a>) -> Socket<'a> {
        let mut socket = self.socket(stack);
        socket.connect((LEFT, PORT)).await.unwrap();
        Socket::new(socket)
    }
}

/// Runs futures side by side to their ends.
pub(crate) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut is_over = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    Poll::Pending => is_over = false,
                }
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

/// Polls a future a few times at most: `None`, if it was dropped before its end. Then there is
/// nothing to do until whatever it was polled for has happened.
pub(crate) async fn interrupted<F: Future>(random: &mut Random, future: F) -> Option<F::Output> {
    let mut polls_left = random.count(0..=2);
    {
        let mut future = pin!(future);
        let ended = poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls_left == 0 => Poll::Ready(None),
            Poll::Pending => {
                polls_left -= 1;
                Poll::Pending
            }
        });
        if let Some(output) = ended.await {
            return Some(output);
        }
    }
    let mut is_woken = false;
    poll_fn(|_| if mem::replace(&mut is_woken, true) { Poll::Ready(None) } else { Poll::Pending })
        .await
}
