//! A server is ready.

use std::fmt;

use barewire_linux::address::Address;
use serde::Serialize;

use crate::output::format::{ADDRESS, serialize_shown};

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename = "listening")]
pub(crate) struct Listening {
    #[serde(serialize_with = "serialize_shown")]
    pub(crate) address: Address,
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listening on {ADDRESS}{}{ADDRESS:#}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_its_address_in_json() {
        assert_eq!(
            serde_json::to_string(&Listening {
                address: Address::Ip("127.0.0.1:5000".parse().unwrap())
            })
            .unwrap(),
            r#"{"event":"listening","address":"127.0.0.1:5000"}"#
        );
    }
}
