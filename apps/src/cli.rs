//! The command line: arguments, and from them to the exit code.

pub(crate) mod addresses;
pub(crate) mod arguments;
pub(crate) mod exit;
pub(crate) mod keys;
mod man_page;
pub(crate) mod new_key;
pub(crate) mod numbers;
pub(crate) mod privileges;
pub(crate) mod resource_limits;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod sizes;
pub(crate) mod times;
pub(crate) mod waits;
