//! What the connections of one source share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use barewire_core::source::Source;

/// How many sources are known before those that are gone are looked for.
const SWEPT_FROM: usize = 64;

/// All sources that are connected, each with its `X`.
#[derive(Debug)]
pub(crate) struct SourceTable<X> {
    table: Mutex<Table<X>>,
}

#[derive(Debug)]
struct Table<X> {
    sources: HashMap<Source, Weak<X>>,
    swept_from: usize,
}

impl<X> SourceTable<X> {
    pub(crate) fn new() -> Self {
        let table = Table { sources: HashMap::new(), swept_from: SWEPT_FROM };
        Self { table: Mutex::new(table) }
    }

    /// What the source has; made if it has nothing, and gone when nobody holds it any more.
    pub(crate) fn of(&self, address: Source, make: impl FnOnce() -> X) -> Arc<X> {
        // Nothing in it can be left half-changed by a panic.
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { sources, swept_from } = &mut *table;
        if let Some(source) = sources.get(&address).and_then(Weak::upgrade) {
            return source;
        }
        if sources.len() >= *swept_from {
            sources.retain(|_, source| source.strong_count() > 0);
            *swept_from = (2 * sources.len()).max(SWEPT_FROM);
        }
        let source = Arc::new(make());
        sources.insert(address, Arc::downgrade(&source));
        source
    }
}

#[cfg(test)]
mod tests {
    use barewire_linux::address::read_source;

    use super::*;

    #[test]
    fn what_one_host_or_user_can_have_is_one_source() {
        let table = SourceTable::new();
        let of = |text: &str, number: u32| table.of(read_source(text).unwrap(), || number);
        let held = [of("192.0.2.1", 1), of("2001:db8::1", 2), of("uid:7", 8)];
        assert_eq!((*of("192.0.2.1", 3), *of("192.0.2.2", 4)), (1, 4));
        assert_eq!((*of("2001:db8::2", 5), *of("2001:db8:0:1::2", 6)), (2, 6));
        assert_eq!((*of("uid:7", 9), *of("uid:8", 10)), (8, 10));
        drop(held);
        assert_eq!(*of("192.0.2.1", 7), 7);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let table = SourceTable::new();
        let of = |number: u64| table.of(Source(number), || ());
        let held: Vec<_> = (0..100).map(of).collect();
        drop(held);
        for number in 1000..2000 {
            drop(of(number));
        }
        let known = table.table.lock().unwrap().sources.len();
        assert!(known <= 300, "{known}");
    }
}
