//! Commands that a person can copy.

use std::fmt::Write as _;
use std::path::Path;

use barewire_core::printable::printable;

/// A path as an argument in a shell: quoted where it has to be, and never taken for an option, or for one on
/// another host.
pub(crate) fn quoted(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let is_misread = bytes.starts_with(b"-") || bytes.contains(&b':') && !bytes.contains(&b'/');
    let start = if is_misread { "./" } else { "" };
    match str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.bytes().all(is_plain) => format!("{start}{text}"),
        Ok(text) if printable(bytes).to_string() == text => {
            format!("'{start}{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            // As bash, zsh and ksh read it.
            let mut quoted = format!("$'{start}");
            for byte in bytes {
                // Writing to a string cannot fail.
                let _ = match byte {
                    byte if is_plain(*byte) => write!(quoted, "{}", char::from(*byte)),
                    byte => write!(quoted, "\\{byte:03o}"),
                };
            }
            quoted + "'"
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'/' | b'-' | b'+' | b',' | b':' | b'@' | b'%' | b'=')
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_what_is_meant() {
        for (path, shown) in [
            (&b"ben.key"[..], "ben.key"),
            (b"/etc/a-b/c_d.key", "/etc/a-b/c_d.key"),
            (b"-rf", "./-rf"),
            (b"host:key", "./host:key"),
            (b"a b", "'a b'"),
            (b"it's $HOME", r"'it'\''s $HOME'"),
            ("schlüssel".as_bytes(), "'schlüssel'"),
            (b"~", "'~'"),
            (b"a\n\x1b[2J", r"$'a\012\033\1332J'"),
            (b"\xff", r"$'\377'"),
            ("a\u{202e}b".as_bytes(), r"$'a\342\200\256b'"),
            (b"", "''"),
        ] {
            let quoted = quoted(Path::new(OsStr::from_bytes(path)));
            assert_eq!(quoted, shown);
            let script = format!("printf %s {quoted}");
            let said = Command::new("bash").args(["-c", &script]).output().unwrap().stdout;
            assert_eq!(said.strip_prefix(b"./").unwrap_or(&said), path, "{quoted}");
        }
    }
}
