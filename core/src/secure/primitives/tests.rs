//! The two hands that seal records.

extern crate std;
#[cfg(feature = "ring")]
use std::vec::Vec;

use chacha20poly1305::ChaCha20Poly1305;
use zeroize::Zeroizing;

use super::cipher::Cipher;
use crate::secure::tests::harness::hex;

type Portable = super::portable::Portable<ChaCha20Poly1305>;

/// RFC 8439, section 2.8.2.
fn says_what_is_published<C: Cipher<12>>() {
    let key = Zeroizing::new(
        *b"\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\
        \x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f",
    );
    let nonce = [7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47];
    let with = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
                 for the future, sunscreen would be it.";
    let sealed = [
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6",
        "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36",
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc",
        "3ff4def08e4b7a9de576d26586cec64b6116",
    ];
    let mut buffer = text.to_vec();
    let tag = C::seal(&key, &nonce, &with, &mut buffer).expect("it is short");
    assert_eq!(buffer, hex(&sealed.concat()));
    assert_eq!(tag.to_vec(), hex("1ae10b594f09e26a7e902ecbd0600691"));
    assert!(C::open(&key, &nonce, &with, &mut buffer, &tag));
    assert_eq!(buffer, text);
}

#[test]
fn the_portable_one_says_what_is_published() {
    says_what_is_published::<Portable>();
}

#[cfg(feature = "ring")]
#[test]
fn the_one_in_assembly_says_what_is_published() {
    says_what_is_published::<super::assembly::Assembly>();
}

/// Whatever one seals, the other opens, of all lengths about the blocks of both; and neither opens what was
/// changed.
#[cfg(feature = "ring")]
#[test]
fn both_say_the_same() {
    both::<Portable, super::assembly::Assembly>();
    both::<super::assembly::Assembly, Portable>();
}

#[cfg(feature = "ring")]
fn both<A: Cipher<12>, B: Cipher<12>>() {
    let lengths = (0..600).chain([1023, 1024, 1025, 16_384, 65_518]);
    for (number, length) in lengths.enumerate() {
        let byte_of = |value: usize| value.to_le_bytes()[0];
        let (key, nonce) = (Zeroizing::new([byte_of(number); 32]), [byte_of(number); 12]);
        let with = &[9; 40][..number % 40];
        let plain: Vec<u8> = (0..length).map(|at| byte_of(at * 7 + number)).collect();
        let mut buffer = plain.clone();
        let tag = A::seal(&key, &nonce, with, &mut buffer).expect("it is short");
        for at in [0, 15] {
            let mut wrong = tag;
            wrong[at] ^= 1;
            assert!(!B::open(&key, &nonce, with, &mut buffer.clone(), &wrong), "{length}");
        }
        if let Some(last) = buffer.len().checked_sub(1) {
            let mut changed = buffer.clone();
            changed[last] ^= 0x80;
            assert!(!B::open(&key, &nonce, with, &mut changed, &tag), "{length}");
        }
        assert!(B::open(&key, &nonce, with, &mut buffer, &tag), "{length}");
        assert_eq!(buffer, plain);
    }
}
