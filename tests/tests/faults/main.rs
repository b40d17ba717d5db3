//! The programs on a system whose calls fail: one call after another, in every way that the manual
//! allows for.
//!
//! Whatever fails, there is no false success, no part of a file under its final name, no hang, no
//! panic; a failure is told in one line; a server lives on and serves the next client; and what is
//! no failure (a call that was interrupted, one that was not ready after all, or that moved less
//! than it was asked to) is not seen at all.

mod clients;
mod confinement;
mod file_client;
mod keys;
mod refused;
mod servers;
mod sweep;
mod trees;
