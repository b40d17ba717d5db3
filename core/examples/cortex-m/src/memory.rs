//! All memory that the sockets and the chat room take: static, and seen by the linker.

use barewire_core::chat::{
    DEFAULT_MAX_TEXT, LogEntry, MemberSlot, Room, RoomConfig, RoomError, SourceSlot, min_log_bytes,
};
use smoltcp::iface::SocketStorage;
use smoltcp::socket::{tcp, udp};
use static_cell::{ConstStaticCell, StaticCell};

use crate::board::Frames;

/// How many clients at once each service has sockets for: fewer under a key, since each needs a channel's memory
/// besides.
pub(crate) const GREETED: usize = if cfg!(keyed) { 2 } else { 4 };
pub(crate) const DOWNLOADS: usize = if cfg!(keyed) { 2 } else { 4 };
pub(crate) const MEMBERS: usize = if cfg!(keyed) { 4 } else { 7 };

const SOCKETS: usize = GREETED + DOWNLOADS + MEMBERS + 2;

/// The memory of one TCP socket.
pub(crate) struct Buffers<const RECEIVE: usize, const SEND: usize> {
    receive: [u8; RECEIVE],
    send: [u8; SEND],
}

impl<const RECEIVE: usize, const SEND: usize> Buffers<RECEIVE, SEND> {
    const NEW: Self = Self { receive: [0; RECEIVE], send: [0; SEND] };

    pub(crate) fn socket(&'static mut self) -> tcp::Socket<'static> {
        let receive = tcp::SocketBuffer::new(&mut self.receive[..]);
        tcp::Socket::new(receive, tcp::SocketBuffer::new(&mut self.send[..]))
    }
}

/// The memory of the UDP socket, in each direction.
const DATAGRAM_BYTES: usize = 1536;
const DATAGRAMS: usize = 4;

/// What the sockets receive into and send from.
pub(crate) struct Sockets {
    pub(crate) datagrams: [[u8; DATAGRAM_BYTES]; 2],
    pub(crate) hello: [Buffers<128, 128>; GREETED],
    pub(crate) files: [Buffers<128, 2048>; DOWNLOADS],
    pub(crate) chat: [Buffers<256, 768>; MEMBERS],
    pub(crate) call: Buffers<2048, 256>,
}

impl Sockets {
    const fn new() -> Self {
        Self {
            datagrams: [[0; DATAGRAM_BYTES]; 2],
            hello: [Buffers::NEW; GREETED],
            files: [Buffers::NEW; DOWNLOADS],
            chat: [Buffers::NEW; MEMBERS],
            call: Buffers::NEW,
        }
    }
}

/// How many channels there may be at once: one for each connection.
#[cfg(keyed)]
pub(crate) const CHANNELS: usize = GREETED + DOWNLOADS + MEMBERS;

/// What a channel receives into, and sends from.
#[cfg(keyed)]
type Records = ([u8; 1024], [u8; 320]);

/// The memory of all channels.
#[cfg(keyed)]
pub(crate) fn channels() -> impl Iterator<Item = [&'static mut [u8]; 2]> {
    RECORDS.take().iter_mut().map(|(receive, send)| [&mut receive[..], &mut send[..]])
}

/// What the stack keeps its sockets in.
///
/// In a frame of its own, which is gone before the stack is needed for more.
#[inline(never)]
pub(crate) fn sockets() -> &'static mut [SocketStorage<'static>] {
    STORAGE.init_with(|| [SocketStorage::EMPTY; SOCKETS])
}

/// The UDP socket, of which there is one.
pub(crate) fn datagram_socket(
    bytes: &'static mut [[u8; DATAGRAM_BYTES]; 2],
) -> udp::Socket<'static> {
    let [receive, send] = bytes;
    let [arrivals, departures] = METADATA.take();
    let receive = udp::PacketBuffer::new(&mut arrivals[..], &mut receive[..]);
    udp::Socket::new(receive, udp::PacketBuffer::new(&mut departures[..], &mut send[..]))
}

/// The rules of the chat room, as far as its memory goes: lines of full length.
const ROOM: RoomConfig = RoomConfig::new();

/// The chat room, of which there is one: for the members and the operator.
///
/// In a frame of its own, as [`sockets`].
#[inline(never)]
pub(crate) fn room() -> Result<Room<'static>, RoomError> {
    const { assert!(LOG >= min_log_bytes(DEFAULT_MAX_TEXT)) };
    let slots = SLOTS.init_with(|| [const { MemberSlot::vacant() }; MEMBERS + 1]);
    let sources = SOURCES.init_with(|| [const { SourceSlot::vacant() }; MEMBERS + 1]);
    let entries = ENTRIES.init_with(|| [LogEntry::EMPTY; 64]);
    Room::new(slots, sources, entries, LINES.take(), ROOM)
}

const LOG: usize = 9728;

// What is all zeros takes no flash; what is not is made at the start, and takes some code instead of its
// size. So the room is not in one piece (`chat::RoomStorage`), of which nine tenths are zeros.
#[cfg(keyed)]
static RECORDS: ConstStaticCell<[Records; CHANNELS]> =
    ConstStaticCell::new([([0; 1024], [0; 320]); CHANNELS]);
pub(crate) static FRAMES: ConstStaticCell<Frames> = ConstStaticCell::new(Frames::new());
pub(crate) static BUFFERS: ConstStaticCell<Sockets> = ConstStaticCell::new(Sockets::new());
static LINES: ConstStaticCell<[u8; ROOM.bytes(LOG)]> = ConstStaticCell::new([0; ROOM.bytes(LOG)]);
static METADATA: ConstStaticCell<[[udp::PacketMetadata; DATAGRAMS]; 2]> =
    ConstStaticCell::new([[udp::PacketMetadata::EMPTY; DATAGRAMS]; 2]);
static STORAGE: StaticCell<[SocketStorage<'static>; SOCKETS]> = StaticCell::new();
static SLOTS: StaticCell<[MemberSlot; MEMBERS + 1]> = StaticCell::new();
static SOURCES: StaticCell<[SourceSlot; MEMBERS + 1]> = StaticCell::new();
static ENTRIES: StaticCell<[LogEntry; 64]> = StaticCell::new();
