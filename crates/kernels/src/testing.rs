//! What the tests of this crate share.

use crate::pool;
use std::sync::{Mutex, PoisonError};

/// A small generator of test data (xorshift, Marsaglia 2003).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
    /// A number from 0 to `bound - 1`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
    /// Uniform in `-1.0 .. 1.0`.
    pub(crate) fn uniform(&mut self) -> f32 {
        (self.next() >> 28) as f32 / (1 << 24) as f32 - 1.0
    }
    /// Whole numbers from -4 to 4: their products and sums are exact in f32.
    pub(crate) fn integers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.below(9) as f32 - 4.0).collect()
    }
    /// Roughly normal, of mean 0 and variance 1.
    pub(crate) fn normal(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.uniform() + self.uniform() + self.uniform()).collect()
    }
}

/// The bit patterns, which tell apart what `==` does not.
pub(crate) fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Runs `f` with one, two and three threads, asserts that all give the same bits, and returns them.
pub(crate) fn at_thread_counts(f: impl Fn() -> Vec<f32>) -> Vec<f32> {
    /// The number of threads belongs to the whole process, so tests that change it take turns.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = pool::threads();
    let results = [1, 2, 3].map(|threads| {
        pool::set_threads(threads);
        f()
    });
    pool::set_threads(before);
    assert!(results[1..].iter().all(|result| bits(result) == bits(&results[0])), "depends on the number of threads");
    results.into_iter().next().unwrap_or_default()
}
