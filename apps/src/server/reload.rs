//! When something that is read again has been read: it may be by another thread, and later.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Something is being read again. Once all clones are gone it has been.
#[derive(Clone, Debug)]
pub(crate) struct Reload(#[expect(dead_code, reason = "its end matters")] Arc<End>);

struct End(Box<dyn Fn() + Send + Sync>);

impl Drop for End {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End")
    }
}

/// The reloads of a server: what is asked for while one is under way belongs to that one.
#[derive(Debug, Default)]
pub(super) struct Reloads(Mutex<Weak<End>>);

impl Reloads {
    /// The one that is under way, or a new one, in the end of which `on_end` is called.
    pub(super) fn begin(&self, on_end: impl Fn() + Send + Sync + 'static) -> Reload {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = current.upgrade().unwrap_or_else(|| {
            let end = Arc::new(End(Box::new(on_end)));
            *current = Arc::downgrade(&end);
            end
        });
        Reload(end)
    }
}

/// Where a reload waits for the thread that reads. One has room for all that wait: they are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct PendingReload(Arc<Mutex<Option<Reload>>>);

impl PendingReload {
    /// To be called before the thread is asked to read.
    pub(crate) fn put(&self, reload: Reload) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reload);
    }

    /// To be called before it reads; and what is given, dropped when it has read.
    pub(crate) fn take(&self) -> Option<Reload> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_reload_ends_once_all_have_read() {
        let ended = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ended);
        let ended = || ended.load(Ordering::Relaxed);
        let on_end = move || _ = count.fetch_add(1, Ordering::Relaxed);
        let (reloads, log, motd) =
            (Reloads::default(), PendingReload::default(), PendingReload::default());
        let begin = || {
            let reload = reloads.begin(on_end.clone());
            log.put(reload.clone());
            motd.put(reload);
        };
        begin();
        let read = motd.take();
        assert!(read.is_some() && motd.take().is_none());
        // It is asked for again meanwhile.
        begin();
        drop(read);
        drop(log.take());
        assert_eq!(ended(), 0, "the second has not been read");
        drop(motd.take());
        assert_eq!(ended(), 1);
        begin();
        drop((log.take(), motd.take()));
        assert_eq!(ended(), 2);
    }
}
