//! What has been shown already, so that after a reconnection only what was missed is.
//!
//! A server sends its last lines to everybody who comes. Those of the user are among them, which the
//! screen shows since they were typed; in which order the server heard them and the others' cannot be
//! known here. So they are left aside, and what others said is compared: the beginning of what the
//! server sends now with the end of what it had sent before.

use std::collections::VecDeque;

use barewire_core::chat::{Kind, Line};

/// So many lines of each kind are remembered: more than servers send again.
const REMEMBERED: usize = 200;

/// The last lines, as they are shown.
#[derive(Debug, Default)]
pub(super) struct ReplayFilter {
    /// What others said.
    said: VecDeque<String>,
    /// Notices. The server sends some of them again and others not, which does not show on them.
    notices: VecDeque<String>,
    /// What the user said, as others see it.
    own: VecDeque<String>,
}

impl ReplayFilter {
    pub(super) fn record_received(&mut self, line: Line<'_>) {
        let shown = line.printable().to_string();
        match line.kind {
            Kind::Private { .. } => {}
            Kind::Notice(_) => remember(&mut self.notices, shown),
            _ => remember(&mut self.said, shown),
        }
    }

    pub(super) fn record_sent(&mut self, nick: &str, line: &str) {
        let as_seen = if let Some(action) = line.strip_prefix("/me ") {
            format!("{nick}: /me {}", action.trim())
        } else if let Some(text) = line.strip_prefix('/') {
            if !text.starts_with('/') {
                return;
            }
            format!("{nick}: {text}")
        } else {
            format!("{nick}: {line}")
        };
        remember(&mut self.own, Line::read(as_seen.as_bytes()).printable().to_string());
    }

    /// Takes out of `lines`, the first that come from a server again, those that are known.
    pub(super) fn remove_known(&self, lines: &mut Vec<String>) {
        lines.retain(|line| !self.own.contains(line));
        let is_notice = |line: &String| line.starts_with("* ");
        let said: Vec<&String> = lines.iter().filter(|line| !is_notice(line)).collect();
        let overlap = overlap(&self.said, &said);
        let mut left = overlap;
        lines.retain(|line| {
            if is_notice(line) {
                return !self.notices.contains(line);
            }
            let is_new = left == 0;
            left = left.saturating_sub(1);
            is_new
        });
    }
}

/// How many of the first of `new` are the last of `old`, at most.
fn overlap(old: &VecDeque<String>, new: &[&String]) -> usize {
    let most = old.len().min(new.len());
    let fits = |&count: &usize| old.iter().skip(old.len() - count).eq(new[..count].iter().copied());
    (0..=most).rev().find(fits).unwrap_or(0)
}

fn remember(lines: &mut VecDeque<String>, line: String) {
    lines.push_back(line);
    if lines.len() > REMEMBERED {
        lines.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(known: &ReplayFilter, lines: &[&str]) -> Vec<String> {
        let mut lines = lines.iter().map(|&line| line.to_owned()).collect();
        known.remove_known(&mut lines);
        lines
    }

    fn heard(lines: &[&str]) -> ReplayFilter {
        let mut known = ReplayFilter::default();
        for line in lines {
            known.record_received(Line::read(line.as_bytes()));
        }
        known
    }

    #[test]
    fn what_was_missed_is_told_once() {
        let known = heard(&["a: 1", "b: 2", "a: 3"]);
        assert_eq!(missed(&known, &["a: 1", "b: 2", "a: 3", "b: 4"]), ["b: 4"]);
        assert_eq!(missed(&known, &["a: 3", "b: 4", "a: 5"]), ["b: 4", "a: 5"]);
        assert_eq!(missed(&known, &["x: 8", "x: 9"]), ["x: 8", "x: 9"]);
        assert!(missed(&known, &["a: 1", "b: 2", "a: 3"]).is_empty());
        assert!(missed(&known, &[]).is_empty());
        assert_eq!(missed(&heard(&[]), &["a: 1"]), ["a: 1"]);
    }

    #[test]
    fn what_is_said_again_is_told_again() {
        let known = heard(&["a: ok", "b: 2"]);
        assert_eq!(missed(&known, &["a: ok", "b: 2", "a: ok"]), ["a: ok"]);
    }

    #[test]
    fn the_users_own_lines_are_known_wherever_they_stand() {
        let mut known = heard(&["a: 1", "b: 2"]);
        known.record_sent("me", "mine");
        known.record_sent("me", "//slash");
        known.record_sent("me", "/me  waves");
        known.record_sent("me", "/who");
        known.record_sent("me", "tab\there");
        let lines = [
            "me: mine",
            "a: 1",
            "me: /slash",
            "me: /me waves",
            "b: 2",
            "me: tab here",
            "c: 3",
            "me: /who",
        ];
        assert_eq!(missed(&known, &lines), ["c: 3", "me: /who"]);
    }

    #[test]
    fn notices_between_do_not_matter() {
        let known = heard(&["a: 1", "* c joined", "a: /me waves", "b: 2"]);
        assert_eq!(
            missed(&known, &["a: 1", "a: /me waves", "b: 2", "* d joined", "c: 3"]),
            ["* d joined", "c: 3"]
        );
    }

    #[test]
    fn only_so_much_is_remembered() {
        let mut known = ReplayFilter::default();
        for number in 0..1000 {
            known.record_received(Line::read(format!("a: {number}").as_bytes()));
        }
        assert_eq!(known.said.len(), REMEMBERED);
        assert_eq!(missed(&known, &["a: 999", "a: 1000"]), ["a: 1000"]);
    }
}
