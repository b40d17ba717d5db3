//! Chat: a room, its members over faulty links, and a model of it with unbounded memory.

mod member;
mod script;
mod table;
mod talk;
mod world;
