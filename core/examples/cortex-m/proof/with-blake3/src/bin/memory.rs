//! How large the machines are: each has a symbol of its size.
#![no_std]
#![no_main]

use barewire_core::{chat, datagram, file, hello, io};
use barewire_proof::used;

macro_rules! sizes {
    ($($name:ident: $machine:ty,)*) => {
        $(
            #[unsafe(no_mangle)]
            static $name: [u8; size_of::<$machine>()] = [0; size_of::<$machine>()];
        )*

        #[unsafe(no_mangle)]
        fn start() {
            $(used(&$name);)*
        }
    };
}

// So nothing that the other programs need of stack or memory is hidden.
const _: () = assert!(size_of::<stand_in::Hasher>() == size_of::<file::Digester>());

sizes! {
    MEMORY_DATAGRAM_EXCHANGE: datagram::Exchange<'static>,
    MEMORY_DATAGRAM_RESPONDER_16: datagram::Responder<'static, 16>,
    MEMORY_HELLO_SERVER_64: hello::Server<'static, 64>,
    MEMORY_HELLO_CLIENT_64: hello::Client<'static, 64>,
    MEMORY_FILE_SENDER_64: file::Sender<64>,
    MEMORY_FILE_RECEIVER_256_4: file::Receiver<256, 4>,
    MEMORY_FILE_DIGESTER: file::Digester,
    MEMORY_FILE_PLAIN_RECEIVER: file::PlainReceiver<'static>,
    MEMORY_CHAT_SPACE_8_9728_64_3: chat::Space<8, 9728, 64, 3>,
    MEMORY_CHAT_ROOM: chat::Room<'static>,
    MEMORY_CHAT_CLIENT_256_1024: chat::Client<256, 1024>,
    MEMORY_IO_PUMP_64: io::Pump<64>,
}
