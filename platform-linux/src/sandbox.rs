//! Confinement: what a process gives up that its work does not need, so that whoever takes it over has no
//! more.
//!
//! | what | by what |
//! |---|---|
//! | another user's rights | [`User::become_it`]: the privileges of root, once it listens |
//! | privileges that root would keep | [`drop_capabilities`] |
//! | privileges that a program brings that is started from it | [`no_new_privileges`] |
//! | files, folders and TCP sockets | [`confine`], which leaves what is [`Allowed`] |
//!
//! All of it is for good, and for the calling thread and those that it starts from then on. So it is to be
//! done before there are others.

mod file_access;
mod privileges;

pub use file_access::{Allowed, Confinement, confine};
pub use privileges::{Keep, StillPrivileged, User, drop_capabilities, is_root, no_new_privileges};
