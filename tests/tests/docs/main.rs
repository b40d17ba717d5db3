//! What the documents say is so: every command in them is run, every link leads somewhere, and a translation says
//! what the original says.

mod asserting;
mod claims;
mod commands;
mod contributing;
mod elsewhere;
mod examples;
mod links;
mod markdown;
mod pattern;
mod pictures;
mod security;
mod shell;
mod translation;
