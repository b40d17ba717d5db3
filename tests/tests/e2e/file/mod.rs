mod listing;
mod plain;
mod requests;
mod resuming;
mod server;
