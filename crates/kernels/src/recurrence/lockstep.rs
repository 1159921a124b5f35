//! Threads that take the turns of a recurrence together.
//!
//! Every turn has the same parts, and a thread keeps to its own part, whose weights then stay in its cache. There is one
//! wake for all turns. Nobody waits for a thread that has not come: whoever is free takes its part of the turn.

use crate::pool::parallel_for;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Parts of a turn at most.
pub(super) const MAX_PARTS: usize = 16;

/// A counter on a cache line of its own.
#[repr(align(64))]
#[derive(Default)]
struct Line(AtomicUsize);

#[derive(Default)]
struct Turns {
    parts: usize,
    /// How many turns there are.
    count: usize,
    /// By part: the first turn of it that nobody has taken.
    next: [Line; MAX_PARTS],
    /// Parts of all turns that are done.
    done: Line,
    /// A part has panicked, so that its turn will never be done.
    failed: AtomicBool,
}

/// Calls `f(turn, part)` for all parts of all turns; no part of a turn begins before the turn before it is done.
///
/// Panics if there are more than [`MAX_PARTS`] parts.
pub(super) fn lockstep(turns: usize, parts: usize, f: impl Fn(usize, usize) + Sync) {
    assert!(parts <= MAX_PARTS, "{parts} parts");
    if parts == 1 {
        return (0..turns).for_each(|turn| f(turn, 0));
    }
    let state = Turns { parts, count: turns, ..Turns::default() };
    parallel_for(parts, &|own| state.take(own, &f));
}

impl Turns {
    /// Works on all turns that are left, first on part `own` of each.
    fn take(&self, own: usize, f: &impl Fn(usize, usize)) {
        let failure = Failure(&self.failed);
        // A thread that comes late goes on where the others are.
        for turn in self.done.0.load(Ordering::Acquire) / self.parts..self.count {
            for part in (own..self.parts).chain(0..own) {
                let next = &self.next[part].0;
                if next.compare_exchange(turn, turn + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                    f(turn, part);
                    self.done.0.fetch_add(1, Ordering::Release);
                }
            }
            if !self.wait_for((turn + 1) * self.parts) {
                return;
            }
        }
        drop(failure);
    }

    /// Waits until so many parts are done; `false` if that will never be.
    fn wait_for(&self, done: usize) -> bool {
        /// Rounds before the thread that is waited for must be thought of as not running.
        const SPINS: usize = 2000;
        let mut spins = 0;
        while self.done.0.load(Ordering::Acquire) < done {
            if self.failed.load(Ordering::Relaxed) {
                return false;
            }
            spins += 1;
            if spins < SPINS { spin_loop() } else { thread::yield_now() }
        }
        true
    }
}

/// Tells the others when its thread panics.
struct Failure<'a>(&'a AtomicBool);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at_thread_counts;
    use std::panic::catch_unwind;

    #[test]
    fn a_turn_waits_for_the_one_before() {
        for parts in [1, 2, 3, MAX_PARTS] {
            at_thread_counts(|| {
                let started: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
                let done: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
                lockstep(started.len(), parts, |turn, part| {
                    assert!(part < parts);
                    assert!(turn == 0 || done[turn - 1].load(Ordering::Relaxed) == parts);
                    started[turn].fetch_add(1, Ordering::Relaxed);
                    done[turn].fetch_add(1, Ordering::Relaxed);
                });
                assert!(started.iter().all(|count| count.load(Ordering::Relaxed) == parts));
                Vec::new()
            });
        }
    }

    #[test]
    fn a_panic_ends_all() {
        at_thread_counts(|| {
            let ended = catch_unwind(|| {
                lockstep(20, 3, |turn, part| assert!(turn < 7 || part != 1, "a part of the recurrence fails"));
            });
            assert!(ended.is_err());
            Vec::new()
        });
    }
}
