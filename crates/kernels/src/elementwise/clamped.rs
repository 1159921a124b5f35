//! What follows most convolutions, while the sums are in registers.

use super::{Rectifier, chain};
use crate::gemm::Epilogue;
use ferrograph_simd::Simd;
use std::ops::Range;

/// Adds a number per column, then limits the result: what is not above `low` becomes `low`, what is above `high` becomes
/// `high`. NaN stays. The bits are those of [`chain`](super::chain) with the [`Rectifier`](super::Rectifier) of these limits.
#[derive(Clone, Copy, Debug)]
pub struct Clamped<'a> {
    /// One for each column.
    pub bias: &'a [f32],
    /// Negative infinity for none.
    pub low: f32,
    /// Infinity for none.
    pub high: f32,
}

impl Clamped<'_> {
    /// The function for all columns of whole rows, where these are not in registers.
    pub(crate) fn apply_to(self, rows: &mut [f32]) {
        chain(rows, Some(self.bias), 0, None, Rectifier::None);
        for y in rows {
            *y = if *y <= self.low { self.low } else { *y };
            *y = if *y > self.high { self.high } else { *y };
        }
    }
}

impl Epilogue for Clamped<'_> {
    /// The bias and the limits.
    type Held<S: Simd> = [S::V; 3];
    fn assert_fits(self, columns: usize) {
        assert_eq!(self.bias.len(), columns, "one bias per column");
    }
    fn part(self, columns: Range<usize>) -> Self {
        Self { bias: &self.bias[columns], ..self }
    }
    #[inline(always)]
    fn hold<S: Simd>(self, simd: S, column: usize) -> [S::V; 3] {
        // With a bias of 0 in place of -0, no sum is -0: `max` would leave it where the result is 0.
        let zero = if self.low == 0.0 { 0.0 } else { -0.0 };
        let bias = simd.add(simd.load_partial(&self.bias[column..]), simd.splat(zero));
        [bias, simd.splat(self.low), simd.splat(self.high)]
    }
    /// Comparing and selecting instead keeps the multipliers' ports busy twice as long, a tenth of the time of 1x1 convolutions
    /// of 16 channels.
    #[inline(always)]
    fn apply<S: Simd>(simd: S, sums: S::V, [bias, low, high]: [S::V; 3]) -> S::V {
        simd.min(high, simd.max(low, simd.add(sums, bias)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::bits;
    use ferrograph_simd::{Kernel, Level, with_level};

    struct Each<'a>(Clamped<'a>, &'a mut [f32]);

    impl Kernel for Each<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            for (index, y) in self.1.chunks_mut(S::N).enumerate() {
                let sums = Clamped::apply(simd, simd.load_partial(y), self.0.hold(simd, index * S::N));
                simd.store_partial(y, sums);
            }
        }
    }

    #[test]
    fn has_the_bits_of_the_chain() {
        let special = [f32::NAN, -0.0, 0.0, f32::INFINITY, f32::NEG_INFINITY, 6.0, 7.5, 1e-40];
        let x: Vec<f32> = (0..67).map(|i| if i % 3 == 0 { special[i / 3 % 8] } else { i as f32 - 30.0 }).collect();
        let bias: Vec<f32> = (0..67).map(|i| if i % 2 == 0 { -0.0 } else { i as f32 * 0.7 - 4.0 }).collect();
        let infinity = f32::INFINITY;
        for (rectifier, low, high) in [
            (Rectifier::None, -infinity, infinity),
            (Rectifier::Below, 0.0, infinity),
            (Rectifier::Between(6.0), 0.0, 6.0),
        ] {
            let mut expected = x.clone();
            chain(&mut expected, Some(&bias), 0, None, rectifier);
            for level in Level::available() {
                with_level(level, || {
                    let mut y = x.clone();
                    level.run(Each(Clamped { bias: &bias, low, high }, &mut y));
                    assert_eq!(bits(&y), bits(&expected), "{} {rectifier:?}", level.name());
                    y.copy_from_slice(&x);
                    Clamped { bias: &bias, low, high }.apply_to(&mut y);
                    assert_eq!(bits(&y), bits(&expected), "{} {rectifier:?}", level.name());
                });
            }
        }
    }
}
