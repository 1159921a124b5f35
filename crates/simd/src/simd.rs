//! The operations a vector kernel is written in.

use std::fmt::Debug;

/// A vector of [`Self::N`] `f32` lanes and its operations.
///
/// A value of the implementing type is a proof that the processor has the instructions: it can only be had from a
/// [`Level`](crate::Level). Methods are always inlined, so a kernel must be reached through
/// [`Level::run`](crate::Level::run), whose copies are compiled with the instructions enabled.
///
/// Arithmetic follows IEEE 754 with round to nearest even. Whether [`fma`](Self::fma) rounds once or twice is the only
/// difference in results between implementations, apart from the order in which lanes are reduced.
pub trait Simd: Copy + Send + Sync + Debug + 'static {
    /// A vector of `N` lanes.
    type V: Copy + Debug;
    /// The result of a comparison, one truth value per lane.
    type Mask: Copy + Debug;
    /// Lanes per vector.
    const N: usize;
    /// Whether [`fma`](Self::fma) rounds once.
    const FUSES: bool = true;
    /// Rows of the register tile that suits the register file: its accumulators, `TILE_VECTORS` vectors of a panel and
    /// a broadcast must fit.
    const TILE_ROWS: usize;
    /// Vectors per row of the register tile.
    const TILE_VECTORS: usize;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::V;
    /// All lanes zero.
    #[inline(always)]
    fn zero(self) -> Self::V {
        self.splat(0.0)
    }

    /// Reads `N` lanes.
    ///
    /// # Safety
    /// `p` points to `N` readable floats; no alignment is needed.
    unsafe fn load_ptr(self, p: *const f32) -> Self::V;
    /// Writes `N` lanes.
    ///
    /// # Safety
    /// `p` points to `N` writable floats; no alignment is needed.
    unsafe fn store_ptr(self, p: *mut f32, v: Self::V);
    /// Reads `count` lanes (at most `N`), the others are zero. Memory past `count` is not touched.
    ///
    /// # Safety
    /// `p` points to `count` readable floats.
    unsafe fn load_partial_ptr(self, p: *const f32, count: usize) -> Self::V;
    /// Writes the first `count` lanes (at most `N`). Memory past `count` is not touched.
    ///
    /// # Safety
    /// `p` points to `count` writable floats.
    unsafe fn store_partial_ptr(self, p: *mut f32, v: Self::V, count: usize);

    /// Turns a square of `N` rows of `N` floats: `to[i * to_stride + j] = from[j * from_stride + i]`.
    ///
    /// # Safety
    /// All of the square is readable at `from` and writable at `to`, and the two do not overlap.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        for i in 0..Self::N {
            for j in 0..Self::N {
                // SAFETY: the caller's promise.
                unsafe { *to.add(i * to_stride + j) = *from.add(j * from_stride + i) };
            }
        }
    }

    /// Asks for the cache line at `p` to be brought into the first-level cache. `p` may point anywhere.
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        let _ = p;
    }

    /// As [`prefetch`](Self::prefetch), into the second-level cache only.
    #[inline(always)]
    fn prefetch_far(self, p: *const f32) {
        let _ = p;
    }

    /// Reads the first `N` floats of `x`; panics if there are fewer.
    #[inline(always)]
    fn load(self, x: &[f32]) -> Self::V {
        assert!(x.len() >= Self::N);
        // SAFETY: the slice holds at least N floats.
        unsafe { self.load_ptr(x.as_ptr()) }
    }
    /// Writes the first `N` floats of `y`; panics if there are fewer.
    #[inline(always)]
    fn store(self, y: &mut [f32], v: Self::V) {
        assert!(y.len() >= Self::N);
        // SAFETY: the slice holds at least N floats.
        unsafe { self.store_ptr(y.as_mut_ptr(), v) }
    }
    /// Reads `min(x.len(), N)` floats, the other lanes are zero.
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Self::V {
        // SAFETY: no more floats are read than the slice holds.
        unsafe { self.load_partial_ptr(x.as_ptr(), x.len().min(Self::N)) }
    }
    /// Writes the first `min(y.len(), N)` lanes.
    #[inline(always)]
    fn store_partial(self, y: &mut [f32], v: Self::V) {
        // SAFETY: no more floats are written than the slice holds.
        unsafe { self.store_partial_ptr(y.as_mut_ptr(), v, y.len().min(Self::N)) }
    }

    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the processor can (everywhere but `Scalar`).
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`, rounded as [`fma`](Self::fma) is.
    fn neg_fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `if a < b { a } else { b }`: the result is `b` when either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `if a > b { a } else { b }`: the result is `b` when either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// Square root, correctly rounded.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// As [`sqrt`](Self::sqrt), to the bit, for loops that divide as well: roots and quotients wait for the same unit of the
    /// processor, which this leaves alone where that is worth it.
    #[inline(always)]
    fn sqrt_beside_div(self, a: Self::V) -> Self::V {
        self.sqrt(a)
    }
    /// `|a|`, also of NaN and zero: the sign bit is cleared.
    fn abs(self, a: Self::V) -> Self::V;
    /// `-a`, also of NaN and zero: the sign bit is flipped.
    fn neg(self, a: Self::V) -> Self::V;
    /// The magnitude of `a` with the sign bit of `sign`.
    fn copysign(self, a: Self::V, sign: Self::V) -> Self::V;
    /// Nearest integer, ties to even.
    fn round(self, a: Self::V) -> Self::V;

    /// `a < b`, false when either is NaN.
    fn lt(self, a: Self::V, b: Self::V) -> Self::Mask;
    /// `a <= b`, false when either is NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::Mask;
    /// `a == b`, false when either is NaN.
    fn eq(self, a: Self::V, b: Self::V) -> Self::Mask;
    /// `if mask { a } else { b }`, lane by lane.
    fn select(self, mask: Self::Mask, a: Self::V, b: Self::V) -> Self::V;

    /// `a * 2^n` for an integer-valued `n` in `-252..=252`. The result may be subnormal or infinite, and is rounded once
    /// for `a` within `1/4 ..= 4` (a partial product of a smaller or larger `a` may itself leave the normal range).
    fn scale(self, a: Self::V, n: Self::V) -> Self::V;
    /// `(m, e)` with `a = m * 2^e` and `1 <= m < 2`, for `a` positive, finite and normal.
    fn mantissa_exponent(self, a: Self::V) -> (Self::V, Self::V);

    /// Sum of the lanes by halving: lane `i` is added to lane `i + N/2`, and so on.
    fn reduce_add(self, a: Self::V) -> f32;
    /// Largest lane by halving with the NaN rule of [`max`](Self::max), the lower lane being `a`.
    fn reduce_max(self, a: Self::V) -> f32;
}
