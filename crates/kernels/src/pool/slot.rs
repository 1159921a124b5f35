//! Where a loop is published to the workers, without a lock.
//!
//! Contains `unsafe`: workers reach the body of a loop on its caller's stack through a pointer. `state` says who may use
//! it: the owner alone writes it, before it opens the slot; a worker reads it only while it is counted as a helper, which
//! it can become only while the slot is open; and the owner does not return before it has closed the slot and the last
//! helper has left.

use super::{DESCENDS, IN_CHUNK, SPIN, lock, spin_until, with_flag};
use ferrograph_simd::{Level, with_level};
use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Thread};

/// What a chunk threw.
pub(super) type Panic = Box<dyn Any + Send>;

/// The function that is called for each chunk.
pub(super) type Body<'a> = &'a (dyn Fn(usize) + Sync);

/// Workers may become helpers.
const OPEN: usize = 1 << 30;
/// The owner is parked, or about to be, until the last helper leaves.
const WAITING: usize = 1 << 29;
/// A chunk has panicked.
const PANICKED: usize = 1 << 28;
/// The number of helpers.
const HELPERS: usize = PANICKED - 1;

/// More chunks than this are not shared: both counts of [`Claims`] must fit.
pub(super) const MAX_CHUNKS: usize = 1 << 31;

/// A place for one loop at a time. All that threads exchange while a loop runs is on one cache line, the first: each time
/// it goes from core to core costs about a tenth of a microsecond. Who owns the slot is told apart, where no worker looks.
#[repr(C, align(128))]
pub(super) struct Slot {
    state: AtomicUsize,
    claims: Claims,
    work: UnsafeCell<Work>,
    panic: Mutex<Option<Panic>>,
    owner: Mutex<Option<Thread>>,
    owned: Owned,
}

#[repr(align(128))]
struct Owned(AtomicBool);

/// Closes the slot when the loop is over, even if it ends by a panic.
struct Closing<'a>(&'a Slot);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What helpers need to know.
#[derive(Clone, Copy)]
#[repr(C)]
struct Work {
    body: *const (dyn Fn(usize) + Sync),
    level: Level,
}

// SAFETY: `work` is used as the module's comment says; the body it points at is Sync.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

/// Hands out the chunks of a loop: to its owner from the first on, to helpers from the last on. So a loop that is run
/// again and again gives each of two threads mostly the same chunks, whose data is in that thread's caches.
///
/// Who claims the last chunk knows that none is left, and need not ask again.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Claims {
    chunks: AtomicUsize,
    /// Claims from the front in the low half, from the back in the high half. Those that find nothing left count, too.
    taken: AtomicU64,
}

/// One claim from the back.
const BACK: u64 = 1 << 32;

impl Claims {
    /// Panics if there are more than [`MAX_CHUNKS`].
    pub(crate) fn new(chunks: usize) -> Self {
        assert!(chunks <= MAX_CHUNKS, "both counts fit");
        let claims = Self::default();
        claims.begin(chunks);
        claims
    }

    /// Begins with chunk 0 claimed.
    fn begin(&self, chunks: usize) {
        self.chunks.store(chunks, Ordering::Relaxed);
        self.taken.store(1, Ordering::Relaxed);
    }

    fn split(taken: u64) -> (usize, usize) {
        ((taken % BACK) as usize, (taken / BACK) as usize)
    }

    /// Whether chunks are left.
    fn any(&self) -> bool {
        let (front, back) = Self::split(self.taken.load(Ordering::Relaxed));
        front + back < self.chunks.load(Ordering::Relaxed)
    }

    /// The next chunk from the front, unless there is none, as `over` says from the last on.
    pub(crate) fn front(&self, over: &mut bool) -> Option<usize> {
        self.claim(1, over).map(|(front, _)| front)
    }

    /// The next chunk from the back.
    pub(crate) fn back(&self, over: &mut bool) -> Option<usize> {
        self.claim(BACK, over).map(|(_, back)| self.chunks.load(Ordering::Relaxed) - 1 - back)
    }

    /// Claims a chunk; the claims before it.
    fn claim(&self, one: u64, over: &mut bool) -> Option<(usize, usize)> {
        if *over {
            return None;
        }
        let (front, back) = Self::split(self.taken.fetch_add(one, Ordering::Relaxed));
        let chunks = self.chunks.load(Ordering::Relaxed);
        *over = front + back + 1 >= chunks;
        (front + back < chunks).then_some((front, back))
    }
}

impl Slot {
    pub(super) fn new() -> Self {
        fn nothing(_: usize) {}
        let work = Work { body: &nothing, level: Level::current() };
        Slot {
            state: AtomicUsize::new(0),
            claims: Claims::default(),
            work: UnsafeCell::new(work),
            panic: Mutex::new(None),
            owner: Mutex::new(None),
            owned: Owned(AtomicBool::new(false)),
        }
    }

    /// Makes the caller the owner, unless there is one.
    pub(super) fn acquire(&self) -> bool {
        !self.owned.0.load(Ordering::Relaxed) && !self.owned.0.swap(true, Ordering::Acquire)
    }

    /// How many workers help its owner.
    pub(super) fn helpers(&self) -> usize {
        self.state.load(Ordering::Relaxed) & HELPERS
    }

    /// Whether a worker may become one of `limit` helpers and finds a chunk.
    pub(super) fn wants_help(&self, limit: usize) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        state & OPEN != 0 && state & HELPERS < limit && self.claims.any()
    }

    /// Runs a loop of at least 2 chunks together with the workers that come to help and gives the slot back. The caller owns
    /// it. `opened` is called when workers can come. Returns what one of the chunks threw.
    pub(super) fn run(&self, chunks: usize, body: Body, opened: impl Fn()) -> Option<Panic> {
        // SAFETY: the lifetime is forgotten; nobody follows the pointer after `close`, which is before this returns.
        let erased = unsafe { std::mem::transmute::<Body, Body<'static>>(body) };
        // SAFETY: the caller owns the slot, which is not open and has no helpers, so nobody else uses `work`.
        unsafe { *self.work.get() = Work { body: erased, level: Level::current() } };
        self.claims.begin(chunks);
        // A plain store: to wait until the other cores know would keep the owner from its first chunk for a tenth of a
        // microsecond. A worker that parks meanwhile waits instead, see `Pool::worker`.
        self.state.store(OPEN, Ordering::Release);
        let closing = Closing(self);
        opened();
        let (mut first, mut over) = (Some(0), false);
        let claim = || first.take().or_else(|| self.claims.front(&mut over));
        with_flag(&DESCENDS, false, || self.run_chunks(claim, body));
        drop(closing);
        let state = self.state.load(Ordering::Relaxed);
        let panic = if state & PANICKED != 0 { lock(&self.panic).take() } else { None };
        if state != 0 {
            self.state.store(0, Ordering::Relaxed);
        }
        self.owned.0.store(false, Ordering::Release);
        panic
    }

    /// Keeps further helpers out and waits until those inside have left.
    fn close(&self) {
        let left = || self.state.load(Ordering::Acquire) & HELPERS == 0;
        if self.state.fetch_and(!OPEN, Ordering::AcqRel) & HELPERS == 0 {
            return;
        }
        spin_until(SPIN, left);
        while !left() {
            *lock(&self.owner) = Some(thread::current());
            // A helper that leaves after this sees it; one that has left before is seen here.
            if self.state.fetch_or(WAITING, Ordering::AcqRel) & HELPERS == 0 {
                break;
            }
            thread::park();
        }
    }

    /// Helps with the loop published here, if there is one with chunks left and fewer than `limit` helpers. Returns
    /// whether it did.
    pub(super) fn help(&self, limit: usize) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & OPEN == 0 || state & HELPERS >= limit || !self.claims.any() {
                return false;
            }
            match self.state.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        // SAFETY: the slot was open when this thread became a helper, so `work` was written before and stays as it is.
        let work = unsafe { *self.work.get() };
        // SAFETY: the owner waits in `close`, and with it the body lives, until this thread is no helper any more.
        let body = unsafe { &*work.body };
        let mut over = false;
        let claim = || self.claims.back(&mut over);
        with_level(work.level, || with_flag(&DESCENDS, true, || self.run_chunks(claim, body)));
        // The loop may be over as soon as this helper is not counted; the slot itself stays.
        let before = self.state.fetch_sub(1, Ordering::AcqRel);
        if before & WAITING != 0 && before & HELPERS == 1 {
            // If the next loop has begun meanwhile, its owner may be the one who wakes: it looks, and waits again.
            if let Some(owner) = lock(&self.owner).take() {
                owner.unpark();
            }
        }
        true
    }

    fn run_chunks(&self, claim: impl FnMut() -> Option<usize>, body: Body) {
        if let Some(panic) = run_chunks(claim, body) {
            lock(&self.panic).get_or_insert(panic);
            self.state.fetch_or(PANICKED, Ordering::Relaxed);
        }
    }
}

/// Runs the chunks that `claim` gives, all of them even if some panic, and returns what the first of those threw.
pub(super) fn run_chunks(mut claim: impl FnMut() -> Option<usize>, body: Body) -> Option<Panic> {
    let mut first = None;
    let outer = IN_CHUNK.replace(true);
    while let Some(chunk) = claim() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(chunk))) {
            first.get_or_insert(panic);
        }
    }
    IN_CHUNK.set(outer);
    first
}
