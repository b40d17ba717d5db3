//! Tests of what is fetched, how far ahead, and for whom.
