//! What happens to a finished sum before it is stored.

use ferrograph_simd::Simd;
use std::fmt::Debug;
use std::ops::Range;

/// A function applied to every element of a product while it is still in a register. It may depend on the column.
///
/// Implementations mark `hold` and `apply` `#[inline(always)]`.
pub trait Epilogue: Copy + Debug + Send + Sync {
    /// What is the same for a vector of columns in every row.
    type Held<S: Simd>: Copy;
    /// Panics unless this can be applied to `columns` columns.
    fn assert_fits(self, columns: usize);
    /// The function for a range of columns, numbered from 0.
    #[must_use]
    fn part(self, columns: Range<usize>) -> Self;
    /// Reads what [`apply`](Self::apply) needs for the columns from `column` on, once for several rows.
    fn hold<S: Simd>(self, simd: S, column: usize) -> Self::Held<S>;
    /// Maps the sums of the columns that `held` is of. Lanes past the last column hold no element.
    fn apply<S: Simd>(simd: S, sums: S::V, held: Self::Held<S>) -> S::V;
}

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl Epilogue for Identity {
    type Held<S: Simd> = ();
    fn assert_fits(self, _: usize) {}
    fn part(self, _: Range<usize>) -> Self {
        self
    }
    #[inline(always)]
    fn hold<S: Simd>(self, _: S, _: usize) {}
    #[inline(always)]
    fn apply<S: Simd>(_: S, sums: S::V, (): ()) -> S::V {
        sums
    }
}

/// Adds a number per column.
#[derive(Clone, Copy, Debug)]
pub struct Bias<'a>(pub &'a [f32]);

impl Epilogue for Bias<'_> {
    type Held<S: Simd> = S::V;
    fn assert_fits(self, columns: usize) {
        assert_eq!(self.0.len(), columns, "one bias per column");
    }
    fn part(self, columns: Range<usize>) -> Self {
        Bias(&self.0[columns])
    }
    #[inline(always)]
    fn hold<S: Simd>(self, simd: S, column: usize) -> S::V {
        simd.load_partial(&self.0[column..])
    }
    #[inline(always)]
    fn apply<S: Simd>(simd: S, sums: S::V, bias: S::V) -> S::V {
        simd.add(sums, bias)
    }
}

/// Adds a number per column, then replaces what is negative by 0; NaN stays NaN.
#[derive(Clone, Copy, Debug)]
pub struct BiasRelu<'a>(pub &'a [f32]);

impl Epilogue for BiasRelu<'_> {
    type Held<S: Simd> = S::V;
    fn assert_fits(self, columns: usize) {
        Bias(self.0).assert_fits(columns);
    }
    fn part(self, columns: Range<usize>) -> Self {
        BiasRelu(&self.0[columns])
    }
    #[inline(always)]
    fn hold<S: Simd>(self, simd: S, column: usize) -> S::V {
        Bias(self.0).hold(simd, column)
    }
    #[inline(always)]
    fn apply<S: Simd>(simd: S, sums: S::V, bias: S::V) -> S::V {
        simd.max(simd.zero(), simd.add(sums, bias))
    }
}
