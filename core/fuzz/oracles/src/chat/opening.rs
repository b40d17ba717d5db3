//! What a member's stream begins with, as it should be told: by a look at all of the line that has come.

/// The methods for which silence waits as long as they have not come whole.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"];

/// The beginning of a stream.
#[derive(Debug, Default)]
pub struct Opening {
    stream: Vec<u8>,
    is_known: bool,
}

impl Opening {
    /// The next byte, in lines of at most `longest`. Whether it is by this one that the stream is none of
    /// lines.
    pub fn hear(&mut self, byte: u8, longest: usize) -> bool {
        if self.is_known {
            return false;
        }
        let could_be = self.may_be_request();
        self.stream.push(byte);
        if self.stream == [22, 3] {
            self.is_known = true;
            return true;
        }
        let line = without_return(self.line());
        if byte != b'\n' {
            let is_long = line.len() > longest;
            self.is_known = is_long;
            return is_long && could_be;
        }
        let lines: Vec<_> = self.stream.split(|byte| *byte == b'\n').collect();
        let first = without_return(lines[lines.len() - 2]);
        self.is_known = !first.trim_ascii().is_empty();
        is_request(first)
    }

    /// The line ends without a line feed. Whether it is a request.
    pub fn end(&mut self) -> bool {
        let line = without_return(self.line());
        let (is_blank, is_request) = (line.trim_ascii().is_empty(), is_request(line));
        if self.is_known || is_blank {
            self.stream.push(b'\n');
            return false;
        }
        self.is_known = true;
        is_request
    }

    /// Whether what has come looks like the beginning of a request, or of TLS.
    pub fn may_be_request(&self) -> bool {
        if self.is_known {
            return false;
        }
        if self.stream == [22] {
            return true;
        }
        let words: Vec<_> = self.line().split(|byte| *byte == b' ').collect();
        let is_likely = |method: &[u8], target: &[u8]| {
            method == b"CONNECT" || target.starts_with(b"/") || target.starts_with(b"http")
        };
        match words[..] {
            [method] => {
                let starts = |one: &&str| one.as_bytes().starts_with(method);
                !method.is_empty() && METHODS.iter().any(starts)
            }
            [method, target] => {
                let begins = target == b"*" || b"http".starts_with(target);
                is_method(method) && (begins || is_likely(method, target))
            }
            [method, target, version] => {
                let whole = [version, &b"HTTP/1.1\r"[version.len().min(9)..]].concat();
                let is_version = is_version(without_return(&whole)) && whole.ends_with(b"\r");
                let is_target = target == b"*" || is_likely(method, target);
                is_method(method) && !target.is_empty() && is_target && is_version
            }
            _ => false,
        }
    }

    /// The line that has not ended.
    fn line(&self) -> &[u8] {
        self.stream.rsplit(|byte| *byte == b'\n').next().unwrap_or_default()
    }
}

fn is_request(line: &[u8]) -> bool {
    match line.split(|byte| *byte == b' ').collect::<Vec<_>>()[..] {
        [method, [_, ..], version] => is_method(method) && is_version(version),
        _ => false,
    }
}

fn is_method(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_uppercase)
        && word.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
}

fn is_version(word: &[u8]) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    word.len() == 8
        && word.starts_with(b"HTTP/")
        && is_digit(word.get(5))
        && word[6] == b'.'
        && is_digit(word.last())
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
