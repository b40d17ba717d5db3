//! The room, driven by hand.
