//! Both sides over TCP, as tasks of the executor of `barewire-linux`.

use std::error::Error;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::task::Poll;
use std::thread;

use barewire_linux::dialer::{Dialer, Resolver};
use barewire_linux::executor::{Context, Executor, Task};
use barewire_linux::link::Link;
use barewire_linux::listener::{Accepted, Acceptor, Listener};

use crate::time_protocol::{Client, Server};

/// 2026-01-01, as a clock would have it.
const SECONDS: u32 = 3_976_214_400;

/// What the tasks share: what was heard.
type State = Option<u32>;

/// One connection to the server.
struct Serving(Link, Server);

impl Task<State> for Serving {
    fn turn(&mut self, _: &mut State, cx: &mut Context<'_, State>) -> Poll<()> {
        match self.0.drive(cx, &mut self.1, |()| ()) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            // A peer that misbehaves is no reason for a server to stop.
            Ok(()) | Err(nb::Error::Other(_)) => {
                // One client is all that these tests have: when nothing is left to do, `run` returns.
                cx.stop();
                Poll::Ready(())
            }
        }
    }
}

/// The client: it connects, then listens.
enum Calling {
    Dialing(Dialer),
    Listening(Link, Client),
}

impl Task<State> for Calling {
    fn turn(&mut self, state: &mut State, cx: &mut Context<'_, State>) -> Poll<()> {
        if let Self::Dialing(dialer) = self {
            match dialer.poll(cx) {
                Err(nb::Error::WouldBlock) => return Poll::Pending,
                Err(nb::Error::Other(error)) => panic!("cannot connect: {error}"),
                Ok((link, _)) => *self = Self::Listening(link, Client::new(cx.now())),
            }
        }
        let Self::Listening(link, session) = self else { unreachable!("it has connected") };
        match link.drive(cx, session, |seconds| *state = Some(seconds)) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            Err(nb::Error::Other(error)) => panic!("{error}"),
            Ok(()) => Poll::Ready(()),
        }
    }
}

fn serve() -> Result<(Executor<'static, State>, SocketAddr), Box<dyn Error>> {
    let listener = Listener::bind("127.0.0.1:0".parse()?)?;
    let address = listener.local_addr()?;
    let on_accepted = |_: &mut State, cx: &mut Context<'_, State>, accepted: Accepted| {
        let session = Server::new(cx.now(), SECONDS);
        cx.spawn(Box::new(Serving(Link::new(accepted.stream), session)));
    };
    let on_error = |_: &mut State, error| panic!("cannot accept: {error}");
    let mut executor = Executor::new()?;
    executor.spawn(Box::new(Acceptor::new(listener, None, on_accepted, on_error)));
    Ok((executor, address))
}

#[test]
fn the_client_hears_the_server() -> Result<(), Box<dyn Error>> {
    let (mut executor, address) = serve()?;
    let dialer = Dialer::new(Resolver::new("127.0.0.1", address.port()));
    executor.spawn(Box::new(Calling::Dialing(dialer)));
    let mut heard = None;
    executor.run(&mut heard)?;
    assert_eq!(heard, Some(SECONDS));
    Ok(())
}

#[test]
fn any_other_client_of_the_protocol_hears_it_too() -> Result<(), Box<dyn Error>> {
    let (mut executor, address) = serve()?;
    let client = thread::spawn(move || {
        let mut heard = Vec::new();
        TcpStream::connect(address)?.read_to_end(&mut heard).map(|_| heard)
    });
    executor.run(&mut None)?;
    assert_eq!(client.join().expect("no panic")?, SECONDS.to_be_bytes());
    Ok(())
}
