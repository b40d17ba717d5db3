//! Chat: a room, its members over faulty links, and a model of it with unbounded memory.

mod adversaries;
mod invariants;
mod member;
mod network;
mod openings;
mod operations;
mod script;
