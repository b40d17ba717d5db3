//! The examples in `vectors.txt`: both sides send and take exactly these bytes.

use std::string::ToString as _;

use super::*;

const EXAMPLES: &str = include_str!("vectors.txt");

/// A connection.
#[derive(Default)]
struct Example {
    title: &'static str,
    client: Vec<u8>,
    server: Vec<u8>,
    outcomes: Vec<&'static str>,
}

fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    for line in EXAMPLES.lines() {
        let Some((kind, rest)) = line.split_once(' ') else { continue };
        if kind == "example:" {
            examples.push(Example { title: rest, ..Example::default() });
        }
        let Some(example) = examples.last_mut() else { continue };
        match kind {
            ">" => example.client.extend(bytes(rest)),
            "<" => example.server.extend(bytes(rest)),
            "=" => example.outcomes.push(rest),
            _ => assert_eq!(kind, "example:", "{line}"),
        }
    }
    assert!(!examples.is_empty());
    examples
}

/// The bytes of a line, without the words on them.
fn bytes(line: &str) -> Vec<u8> {
    let (digits, _words) = line.split_once(" | ").unwrap();
    let digits: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.as_chunks().0.iter();
    pairs.map(|[high, low]| u8::try_from(16 * high + low).unwrap()).collect()
}

/// What the server of the examples has.
fn file(name: &[u8]) -> Result<Vec<u8>, Refusal> {
    match name {
        b"a" => Ok(b"alpha".to_vec()),
        b"c" => Ok((0..251).cycle().take(1_030).collect()),
        b"empty" => Ok(Vec::new()),
        b"" => Ok(b"5\t-1700000001\ta\n0\t-1700000001\tempty\n".to_vec()),
        _ => Err(Refusal::NotFound),
    }
}

/// The requests that a client says in `bytes`.
fn requests(mut bytes: &[u8]) -> Vec<Request<'_>> {
    let mut requests = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<40>() {
        let [_, _, _, _, operation, flags, high, low, numbers @ ..] = header;
        let numbers = numbers.as_chunks().0.iter().map(|number| u64::from_be_bytes(*number));
        let numbers: Vec<_> = numbers.collect();
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let operation = match operation {
            1 => Operation::Get,
            2 => Operation::List,
            3 => Operation::Hashes,
            _ => panic!("operation {operation}"),
        };
        let (name, rest) = rest.split_at(length);
        let segment = SegmentSize::new(header[32]).unwrap();
        let request = Request { operation, segment, ..Request::get(name) };
        let request = request.with_verify(*flags == 1).with_offset(numbers[0]);
        requests.push(request.with_length(numbers[1]).with_tag(numbers[2]));
        bytes = rest;
    }
    assert!(bytes.is_empty());
    requests
}

/// What the client says and sees, and how each of its requests ends.
fn client(example: &Example) -> (Vec<u8>, Vec<std::string::String>) {
    let mut client = Client::asking(&requests(&example.client));
    client.hear(NOW, &example.server);
    if !client.has_failed() {
        client.hear_end(NOW);
    }
    let ends = client.seen.iter().filter_map(|seen| match seen {
        Seen::Complete => Some("whole".to_string()),
        Seen::Refused(refusal) => Some(std::format!("refused: {refusal}")),
        Seen::Failed(error) => Some(std::format!("client fails: {error}")),
        _ => None,
    });
    (client.sent, ends.collect())
}

fn status(example: &Example) -> Refusal {
    Refusal::of_status(example.server[4]).unwrap()
}

#[test]
fn both_sides_keep_to_the_examples() {
    for example in examples() {
        let title = example.title;
        assert!(!example.client.is_empty() && !example.outcomes.is_empty(), "{title}");
        let mut server = Server::<MAX_NAME>::with(file);
        if !example.outcomes[0].starts_with("client fails: ") {
            server.hear(NOW, &example.client);
            assert_eq!(server.sent, example.server, "{title}");
        }
        if example.outcomes[0].starts_with("server closes: ") {
            server.hear(NOW, &get(b"a"));
            assert_eq!(server.sent, example.server, "{title}");
            assert!(server.is_shut && server.held.is_empty(), "{title}");
            assert_eq!(example.outcomes[0], std::format!("server closes: {}", status(&example)));
        } else {
            let (sent, outcomes) = client(&example);
            assert_eq!(sent, example.client, "{title}");
            assert_eq!(outcomes, example.outcomes, "{title}");
            assert!(!server.is_shut, "{title}");
        }
    }
}
