//! File transfer, both sides of it.

mod fetch;
mod file_service;
mod flash_store;

pub use fetch::Fetch;
pub use file_service::FileService;
pub use flash_store::{Checksum, File, FlashStore};
