//! The headers of the framed form, as they are on the wire.

use heapless::VecView;

use super::request::{MAX_NAME, Operation, Request};
use super::response::{Refusal, ResponseHeader};

/// The first byte of a request and of a response. No file name can start with it.
pub(super) const MARKER: u8 = 0;

/// What every header begins with: the marker, the magic, the version.
const VERSION: u8 = 1;
const PREFIX: [u8; 3] = [MARKER, b'B', b'W'];

/// The flag that asks for, or announces, digests.
const VERIFY: u8 = 1;

pub(super) const REQUEST_HEADER: usize = 24;
pub(super) const RESPONSE_HEADER: usize = 32;

/// The fixed part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHeader {
    pub(super) operation: Operation,
    pub(super) verify: bool,
    pub(super) name_length: usize,
    pub(super) offset: u64,
    pub(super) tag: u64,
}

impl RequestHeader {
    /// The header of `request`, if its name is not too long.
    pub(super) fn of(request: &Request<'_>) -> Option<Self> {
        let &Request { operation, name, offset, tag, verify } = request;
        let name_length = name.len();
        (name_length <= MAX_NAME).then_some(Self { operation, verify, name_length, offset, tag })
    }

    pub(super) fn request(self, name: &[u8]) -> Request<'_> {
        let Self { operation, verify, name_length: _, offset, tag } = self;
        Request { operation, name, offset, tag, verify }
    }

    pub(super) fn encode(self) -> [u8; REQUEST_HEADER] {
        let operation = match self.operation {
            Operation::Get => 1,
            Operation::List => 2,
        };
        let name_length = u16::try_from(self.name_length).unwrap_or(u16::MAX);
        let [first, second] = name_length.to_be_bytes();
        encode([operation, u8::from(self.verify), first, second], &[self.offset, self.tag])
    }

    /// Reads a header. A later version may mean anything by what follows its number, so that comes
    /// first.
    pub(super) fn decode(bytes: &[u8; REQUEST_HEADER]) -> Result<Self, Refusal> {
        let ([marker, b, w, version, operation, flags, first, second], numbers) = split(bytes);
        let [offset, tag] = numbers.ok_or(Refusal::Malformed)?;
        if [marker, b, w] != PREFIX {
            return Err(Refusal::Malformed);
        }
        let operation = match (version, operation) {
            (VERSION, 1) => Operation::Get,
            (VERSION, 2) => Operation::List,
            _ => return Err(Refusal::NotSupported),
        };
        if flags & !VERIFY != 0 {
            return Err(Refusal::NotSupported);
        }
        let name_length = usize::from(u16::from_be_bytes([first, second]));
        if name_length > MAX_NAME {
            return Err(Refusal::Malformed);
        }
        Ok(Self { operation, verify: flags & VERIFY != 0, name_length, offset, tag })
    }
}

/// What a response announces.
pub(super) type Response = Result<ResponseHeader, Refusal>;

pub(super) fn encode_response(response: Response) -> [u8; RESPONSE_HEADER] {
    match response {
        Ok(ResponseHeader { offset, size, tag, verified }) => {
            encode([0, u8::from(verified), 0, 0], &[offset, size, tag])
        }
        Err(refusal) => encode([refusal.status(), 0, 0, 0], &[0; 3]),
    }
}

/// Reads a response header; `None` if it is malformed. That it fits its request is for the caller
/// to check.
pub(super) fn decode_response(bytes: &[u8; RESPONSE_HEADER]) -> Option<Response> {
    let ([marker, b, w, version, status, flags, first, second], numbers) = split(bytes);
    let [offset, size, tag] = numbers?;
    if [marker, b, w] != PREFIX || version != VERSION || [first, second] != [0, 0] {
        return None;
    }
    if status == 0 {
        let fits = flags & !VERIFY == 0 && offset <= size;
        return fits.then_some(Ok(ResponseHeader {
            offset,
            size,
            tag,
            verified: flags & VERIFY != 0,
        }));
    }
    let refusal = Refusal::ALL.into_iter().find(|refusal| refusal.status() == status)?;
    (flags == 0 && [offset, size, tag] == [0; 3]).then_some(Err(refusal))
}

/// A header: the prefix and version, four bytes of its own, and its numbers.
fn encode<const N: usize, const M: usize>(own: [u8; 4], numbers: &[u64; M]) -> [u8; N] {
    const { assert!(N == 8 + 8 * M, "a header has no gaps") };
    let ([marker, b, w], [first, second, third, fourth]) = (PREFIX, own);
    let start = u64::from_be_bytes([marker, b, w, VERSION, first, second, third, fourth]);
    let mut header = [0; N];
    let (places, _) = header.as_chunks_mut();
    for (place, number) in places.iter_mut().zip([start].iter().chain(numbers)) {
        *place = number.to_be_bytes();
    }
    header
}

/// The first eight bytes of a header, and the numbers that follow them; there are always `M`.
fn split<const N: usize, const M: usize>(bytes: &[u8; N]) -> ([u8; 8], Option<[u64; M]>) {
    const { assert!(N == 8 + 8 * M, "a header has no gaps") };
    let Some((start, rest)) = bytes.split_first_chunk() else {
        return ([0; 8], None);
    };
    let (chunks, _) = rest.as_chunks::<8>();
    let mut numbers = [0; M];
    for (place, chunk) in numbers.iter_mut().zip(chunks) {
        *place = u64::from_be_bytes(*chunk);
    }
    (*start, Some(numbers))
}

/// Moves bytes from the front of `input` until `buffer` holds `length`, or the input is at its end.
pub(super) fn gather(buffer: &mut VecView<u8>, length: usize, input: &mut &[u8]) {
    // One by one, since no compiler sees that the length of a slice cannot overflow theirs.
    while buffer.len() < length
        && let Some((&byte, rest)) = input.split_first()
        && buffer.push(byte).is_ok()
    {
        *input = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: RequestHeader = RequestHeader {
        operation: Operation::List,
        verify: true,
        name_length: 0x0102,
        offset: 0x0304_0506_0708_090a,
        tag: u64::MAX - 1,
    };

    #[test]
    fn a_request_is_laid_out_as_documented() {
        let bytes = HEADER.encode();
        assert_eq!(bytes[..8], [0, b'B', b'W', 1, 2, 1, 1, 2]);
        assert_eq!(bytes[8..16], [3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(bytes[16..], [255, 255, 255, 255, 255, 255, 255, 254]);
        assert_eq!(RequestHeader::decode(&bytes), Ok(HEADER));
    }

    #[test]
    fn a_response_is_laid_out_as_documented() {
        let answer = ResponseHeader { offset: 1, size: 2, tag: 3, verified: true };
        let bytes = encode_response(Ok(answer));
        assert_eq!(bytes[..8], [0, b'B', b'W', 1, 0, 1, 0, 0]);
        assert_eq!((bytes[15], bytes[23], bytes[31]), (1, 2, 3));
        assert_eq!(decode_response(&bytes), Some(Ok(answer)));
        for refusal in Refusal::ALL {
            let bytes = encode_response(Err(refusal));
            assert_eq!(bytes[4], refusal.status());
            assert_eq!(bytes[5..], [0; 27]);
            assert_eq!(decode_response(&bytes), Some(Err(refusal)));
        }
    }

    /// Every byte of a header at values that it must not have.
    #[test]
    fn what_is_not_understood_is_refused() {
        let with = |index: usize, value: u8| {
            let mut bytes = HEADER.encode();
            bytes[index] = value;
            RequestHeader::decode(&bytes).map(|header| header.name_length)
        };
        for (index, value) in [(0, 1), (1, b'b'), (2, 0), (6, 5), (6, 255)] {
            assert_eq!(with(index, value), Err(Refusal::Malformed), "{index} {value}");
        }
        for (index, value) in [(3, 0), (3, 2), (4, 0), (4, 3), (4, 255), (5, 2), (5, 3), (5, 128)] {
            assert_eq!(with(index, value), Err(Refusal::NotSupported), "{index} {value}");
        }
        assert_eq!(with(6, 4), Err(Refusal::Malformed), "1026 bytes");
        assert_eq!(with(6, 3).map(|length| length < MAX_NAME), Ok(true));
    }

    #[test]
    fn the_longest_name_passes_and_one_byte_more_does_not() {
        let longest = RequestHeader { name_length: MAX_NAME, ..HEADER };
        assert_eq!(RequestHeader::decode(&longest.encode()), Ok(longest));
        let longer = RequestHeader { name_length: MAX_NAME + 1, ..HEADER };
        assert_eq!(RequestHeader::decode(&longer.encode()), Err(Refusal::Malformed));
        assert!(RequestHeader::of(&Request::get(&[b'x'; MAX_NAME])).is_some());
        assert!(RequestHeader::of(&Request::get(&[b'x'; MAX_NAME + 1])).is_none());
    }

    #[test]
    fn a_malformed_response_is_told_from_every_status() {
        let good =
            encode_response(Ok(ResponseHeader { offset: 5, size: 5, tag: 0, verified: false }));
        let bad = |bytes: [u8; RESPONSE_HEADER], index: usize, value: u8| {
            let mut bytes = bytes;
            bytes[index] = value;
            assert_eq!(decode_response(&bytes), None, "{index} {value}");
        };
        assert!(decode_response(&good).is_some());
        for (index, value) in
            [(0, 1), (1, 0), (2, 0), (3, 2), (4, 8), (4, 255), (5, 2), (6, 1), (7, 1), (15, 6)]
        {
            bad(good, index, value);
        }
        let refused = encode_response(Err(Refusal::Busy));
        for index in [5, 6, 7, 8, 15, 16, 23, 24, 31] {
            bad(refused, index, 1);
        }
    }
}
