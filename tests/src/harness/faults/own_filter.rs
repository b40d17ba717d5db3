//! The filter that a program gives itself (`seccomp(2)`), as the kernel would go by it.

use nix::libc::{self, c_long, sock_filter};

use super::notices::Notice;
use super::target::Target;

/// A program of classic BPF, of the instructions that compilers of such filters make.
#[derive(Debug)]
pub(super) struct OwnFilter(Vec<sock_filter>);

impl OwnFilter {
    /// What the process is about to install by this call, if it is such a call.
    pub(super) fn installed_by(notice: &Notice, target: &Target) -> Option<Self> {
        let [operation, _, program, ..] = notice.arguments;
        if notice.number != libc::SYS_seccomp
            || operation != u64::from(libc::SECCOMP_SET_MODE_FILTER)
        {
            return None;
        }
        // `struct sock_fprog`: a length, and after what aligns it a pointer.
        let header: [u8; 16] = target.read(program).expect("a program");
        let [length, _, _, _] = words::<4>(&header[..8]).map(usize::from);
        let address = u64::from_ne_bytes(header[8..].try_into().expect("eight"));
        let bytes = target.bytes(address, 8 * length).expect("its instructions");
        let instructions = bytes.chunks_exact(8).map(|bytes| {
            let [code, jumps, low, high] = words::<4>(bytes);
            let [jt, jf] = jumps.to_ne_bytes();
            let [low, high] = [low, high].map(u16::to_ne_bytes);
            let k = u32::from_ne_bytes([low[0], low[1], high[0], high[1]]);
            sock_filter { code, jt, jf, k }
        });
        Some(Self(instructions.collect()))
    }

    /// Whether it lets a call through, on the processor of that number (`AUDIT_ARCH_…`).
    pub(super) fn allows(&self, call: c_long, architecture: u32, arguments: [u64; 6]) -> bool {
        let number = u32::try_from(call).expect("system calls have small numbers");
        // `struct seccomp_data`, in units of four bytes.
        let mut data = vec![number, architecture, 0, 0];
        for argument in arguments {
            let bytes = argument.to_ne_bytes();
            data.extend(
                bytes
                    .chunks_exact(4)
                    .map(|half| u32::from_ne_bytes(half.try_into().expect("four"))),
            );
        }
        let (mut at, mut held) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = self.0[at];
            at += 1;
            let branch = |condition: bool| usize::from(if condition { jt } else { jf });
            match u32::from(code) {
                LOAD => held = data[k as usize / 4],
                AND => held &= k,
                JUMP => at += k as usize,
                EQUAL => at += branch(held == k),
                GREATER => at += branch(held > k),
                NOT_LESS => at += branch(held >= k),
                RETURN => return k == libc::SECCOMP_RET_ALLOW,
                _ => panic!("an instruction that no such filter has: {code:#x}"),
            }
        }
    }
}

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const JUMP: u32 = libc::BPF_JMP | libc::BPF_JA;
const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const GREATER: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
const NOT_LESS: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// The first numbers of 16 bits in `bytes`.
fn words<const N: usize>(bytes: &[u8]) -> [u16; N] {
    std::array::from_fn(|word| u16::from_ne_bytes([bytes[2 * word], bytes[2 * word + 1]]))
}
