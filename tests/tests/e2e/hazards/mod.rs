//! What has hurt systems like this one. Each module is one hazard: it says at its top what happened
//! elsewhere, with its public record, and what must hold here.

mod hazard_01_names;
mod hazard_02_links;
mod hazard_03_swaps;
mod hazard_04_no_files;
mod hazard_05_targets;
mod hazard_06_controls;
mod hazard_07_killed;
mod hazard_08_changes;
mod hazard_09_resets;
mod hazard_10_headers;
mod hazard_11_loops;
mod hazard_12_client_gone;
mod hazard_13_reply_address;
mod hazard_14_truncation;
mod hazard_15_bad_company;
mod hazard_16_endless_line;
mod hazard_17_broken_utf8;
mod hazard_18_stalled_reader;
mod hazard_19_nicks;
mod hazard_20_flood;
mod hazard_21_rehashing;
mod hazard_22_last_words;
mod hazard_23_descriptors;
mod hazard_24_typed_line;
mod hazard_25_extremes;
