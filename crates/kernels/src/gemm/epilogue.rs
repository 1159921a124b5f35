//! What happens to a finished sum before it is stored.

use ferrograph_simd::Simd;
use std::fmt::Debug;
use std::ops::Range;

/// A function applied to every element of a product while it is still in a register. It may depend on the column.
///
/// Implementations mark `apply` `#[inline(always)]`.
pub trait Epilogue: Copy + Debug + Send + Sync {
    /// Panics unless this can be applied to `columns` columns.
    fn assert_fits(self, columns: usize);
    /// The function for a range of columns, numbered from 0.
    #[must_use]
    fn part(self, columns: Range<usize>) -> Self;
    /// Maps the sums of the columns from `column` on. Lanes past the last column hold no element.
    fn apply<S: Simd>(self, simd: S, sums: S::V, column: usize) -> S::V;
}

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl Epilogue for Identity {
    fn assert_fits(self, _: usize) {}
    fn part(self, _: Range<usize>) -> Self {
        self
    }
    #[inline(always)]
    fn apply<S: Simd>(self, _: S, sums: S::V, _: usize) -> S::V {
        sums
    }
}

/// Adds a number per column.
#[derive(Clone, Copy, Debug)]
pub struct Bias<'a>(pub &'a [f32]);

impl Epilogue for Bias<'_> {
    fn assert_fits(self, columns: usize) {
        assert_eq!(self.0.len(), columns, "one bias per column");
    }
    fn part(self, columns: Range<usize>) -> Self {
        Bias(&self.0[columns])
    }
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, sums: S::V, column: usize) -> S::V {
        simd.add(sums, simd.load_partial(&self.0[column..]))
    }
}

/// Adds a number per column, then replaces what is negative by 0; NaN stays NaN.
#[derive(Clone, Copy, Debug)]
pub struct BiasRelu<'a>(pub &'a [f32]);

impl Epilogue for BiasRelu<'_> {
    fn assert_fits(self, columns: usize) {
        Bias(self.0).assert_fits(columns);
    }
    fn part(self, columns: Range<usize>) -> Self {
        BiasRelu(&self.0[columns])
    }
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, sums: S::V, column: usize) -> S::V {
        simd.max(simd.zero(), Bias(self.0).apply(simd, sums, column))
    }
}
