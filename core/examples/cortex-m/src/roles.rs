//! What the firmware does: serve, or call a server.

use core::net::SocketAddrV4;

use barewire_core::datagram::HashKey;
use barewire_core::session::Session;
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};
use barewire_cortex_m::call::{Call, CallError, Client};
use barewire_cortex_m::chat::{Operator, Passer, RoomService};
use barewire_cortex_m::datagrams::{Answerer, Asker};
use barewire_cortex_m::files::{Checksum, Fetch, FileService, FlashStore};
use barewire_cortex_m::hello::{HelloClient, HelloService};
use barewire_cortex_m::net::Net;
use barewire_cortex_m::security::Security as _;
use barewire_cortex_m::server::Server;
use defmt::Format;
use smoltcp::socket::udp;

use crate::board::{Clock, Ethernet, Serial, stack};
use crate::flash::FILES;
use crate::host::{self, Program};
use crate::key::{Safety, safety};
use crate::memory::{self, DOWNLOADS, GREETED, MEMBERS, Sockets};

const DATAGRAM_PORT: u16 = 8081;
const HELLO_PORT: u16 = 8082;
const FILE_PORT: u16 = 8083;
const CHAT_PORT: u16 = 8084;

/// A client failed; what went wrong is in the log.
pub(crate) struct Failed;

/// Serves all conversations, for ever.
#[inline(never)]
pub(crate) fn serve(
    mut net: Net<'static, Ethernet>,
    clock: &Clock,
    serial: Serial,
    buffers: &'static mut Sockets,
) -> Result<(), Failed> {
    let Sockets { datagrams, hello, files, chat, .. } = buffers;
    let datagrams = net.sockets.add(memory::datagram_socket(datagrams));
    let hello = hello.each_mut().map(|buffers| net.sockets.add(buffers.socket()));
    let files = files.each_mut().map(|buffers| net.sockets.add(buffers.socket()));
    let chat = chat.each_mut().map(|buffers| net.sockets.add(buffers.socket()));

    let socket = net.sockets.get_mut(datagrams);
    let key = HashKey::new(host::seed().to_le_bytes());
    let answerer = Answerer::new(socket, &DATAGRAM_PORT, b"nice to meet you", key);
    let mut answerer = answerer.map_err(failed)?;
    let greeting = Text::new("你好 from a Cortex-M3").map_err(failed)?;
    let mut hello_service =
        Server::<_, Safety, GREETED>::new(HelloService::new(greeting), HELLO_PORT, hello);
    let file_service = FileService::new(FlashStore::new(&FILES));
    let mut file_service = Server::<_, Safety, DOWNLOADS>::new(file_service, FILE_PORT, files);
    let room = RoomService::new(memory::room().map_err(failed)?);
    let mut room = Server::<_, Safety, MEMBERS>::new(room, CHAT_PORT, chat);
    let mut operator = Operator::new(serial);
    let mut safety = safety();

    let mut deepest = Deepest::default();
    defmt::info!("serving");
    loop {
        let now = clock.now();
        deepest.look(now);
        net.receive(now);
        answerer.turn(&mut safety, net.sockets.get_mut(datagrams), now);
        hello_service.turn(&mut safety, &mut net.sockets, now);
        let downloads = file_service.turn(&mut safety, &mut net.sockets, now);
        operator.turn(room.service(), now);
        let lines = room.turn(&mut safety, &mut net.sockets, now);
        net.send(now);
        if !downloads && !lines {
            net.device.sleep();
        }
    }
}

/// Logs how deep the stack has grown, as long as it grows.
#[derive(Default)]
struct Deepest {
    used: usize,
    next: Instant,
}

impl Deepest {
    fn look(&mut self, now: Instant) {
        if now < self.next {
            return;
        }
        self.next = now + Duration::from_secs(1);
        let (used, size) = stack::usage();
        if used > self.used {
            self.used = used;
            defmt::info!("stack: {} of {} bytes", used, size);
        }
    }
}

/// Calls a server, and ends.
#[inline(never)]
pub(crate) fn call(
    mut net: Net<'static, Ethernet>,
    clock: &Clock,
    buffers: &'static mut Sockets,
    port: u16,
    (program, server, text): (Program, SocketAddrV4, &str),
) -> Result<(), Failed> {
    match program {
        Program::Udp => {
            let handle = net.sockets.add(memory::datagram_socket(&mut buffers.datagrams));
            let socket = net.sockets.get_mut::<udp::Socket<'_>>(handle);
            let (mut safety, mut buffer) = (safety(), [0; 512]);
            let request = safety.ask(text.as_bytes(), &mut buffer).ok_or(Failed)?;
            let mut asker = Asker::new(socket, port, server, request).map_err(failed)?;
            wait(&mut net, clock, |net, now| asker.turn(&safety, net.sockets.get_mut(handle), now))
                .map_err(failed)
        }
        Program::Tcp => {
            let client = HelloClient::new(Text::new(text).map_err(failed)?);
            converse(&mut net, clock, buffers, port, server, client).map(|_| ())
        }
        Program::File => {
            // A board with room for it would write the contents there, and keep what was proven.
            let mut checksum = Checksum::new();
            let fetch = Fetch::new(text, |piece| checksum = checksum.and(piece));
            let fetch = converse(&mut net, clock, buffers, port, server, fetch)?;
            if !fetch.is_proven() {
                defmt::error!("{}: not what was asked for, or not proven", text);
                return Err(Failed);
            }
            let size = fetch.size();
            defmt::info!("{}: {} bytes, verified ({=u64:016x})", text, size, checksum.value());
            Ok(())
        }
        Program::Chat => {
            let passer = Passer::new(Text::new(text).map_err(failed)?);
            let passer = converse(&mut net, clock, buffers, port, server, passer)?;
            passer.has_heard().then_some(()).ok_or(Failed)
        }
    }
}

/// Calls a server as `client`; gives it back when all went well.
#[inline(never)]
fn converse<C: Client>(
    net: &mut Net<'static, Ethernet>,
    clock: &Clock,
    buffers: &'static mut Sockets,
    port: u16,
    server: SocketAddrV4,
    client: C,
) -> Result<C, Failed>
where
    CallError<<C::Session as Session>::Error>: Format,
{
    let mut socket = buffers.call.socket();
    let context = net.interface.context();
    let mut safety = safety();
    let mut call =
        Call::<_, Safety>::new(client, &mut socket, context, server.into(), port, clock.now())
            .map_err(failed)?;
    let handle = net.sockets.add(socket);
    wait(net, clock, |net, now| call.turn(&mut safety, net.sockets.get_mut(handle), now))
        .map_err(failed)?;
    Ok(call.into_client())
}

/// Gives the network and what runs on it their turns, until that is over.
fn wait<T, E>(
    net: &mut Net<'static, Ethernet>,
    clock: &Clock,
    mut turn: impl FnMut(&mut Net<'static, Ethernet>, Instant) -> nb::Result<T, E>,
) -> Result<T, E> {
    loop {
        let now = clock.now();
        net.receive(now);
        let result = turn(net, now);
        net.send(now);
        match result {
            Ok(value) => return Ok(value),
            Err(nb::Error::Other(error)) => return Err(error),
            Err(nb::Error::WouldBlock) => net.device.sleep(),
        }
    }
}

/// Logs why.
fn failed(why: impl Format) -> Failed {
    defmt::error!("{}", why);
    Failed
}
