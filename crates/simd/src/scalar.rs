//! The implementation for every processor, in plain Rust. It is also the specification of the others.

use crate::Simd;

const N: usize = 4;

/// Four lanes in an array; the compiler turns them into whatever the target's base instruction set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar(());

impl Scalar {
    pub(crate) fn new() -> Self {
        Scalar(())
    }
}

#[inline(always)]
fn lanes1<R: Copy + Default>(a: [f32; N], f: impl Fn(f32) -> R) -> [R; N] {
    let mut r = [R::default(); N];
    for i in 0..N {
        r[i] = f(a[i]);
    }
    r
}

#[inline(always)]
fn lanes2<R: Copy + Default>(a: [f32; N], b: [f32; N], f: impl Fn(f32, f32) -> R) -> [R; N] {
    let mut r = [R::default(); N];
    for i in 0..N {
        r[i] = f(a[i], b[i]);
    }
    r
}

/// `2^n` for an integer-valued `n` of -126 to 127.
#[inline(always)]
fn power_of_two(n: f32) -> f32 {
    f32::from_bits(((n as i32 + 127) as u32) << 23)
}

impl Simd for Scalar {
    type V = [f32; N];
    type Mask = [bool; N];
    const N: usize = N;
    const FUSES: bool = false;
    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; N]
    }

    #[inline(always)]
    unsafe fn load_ptr(self, p: *const f32) -> Self::V {
        // SAFETY: the caller promises N readable floats.
        unsafe { p.cast::<[f32; N]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32, v: Self::V) {
        // SAFETY: the caller promises N writable floats.
        unsafe { p.cast::<[f32; N]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn load_partial_ptr(self, p: *const f32, count: usize) -> Self::V {
        let mut v = [0.0; N];
        for (i, lane) in v.iter_mut().enumerate().take(count) {
            // SAFETY: the caller promises `count` readable floats.
            *lane = unsafe { *p.add(i) };
        }
        v
    }
    #[inline(always)]
    unsafe fn store_partial_ptr(self, p: *mut f32, v: Self::V, count: usize) {
        for (i, lane) in v.into_iter().enumerate().take(count) {
            // SAFETY: the caller promises `count` writable floats.
            unsafe { *p.add(i) = lane };
        }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        lanes2(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        lanes2(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        lanes2(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        lanes2(a, b, |a, b| a / b)
    }
    // `f32::mul_add` is a library call where the base instruction set has no fused form, so the product is rounded.
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn neg_fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        self.sub(c, self.mul(a, b))
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        lanes2(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        lanes2(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        lanes1(a, f32::sqrt)
    }
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        lanes1(a, f32::abs)
    }
    #[inline(always)]
    fn neg(self, a: Self::V) -> Self::V {
        lanes1(a, |a| -a)
    }
    #[inline(always)]
    fn copysign(self, a: Self::V, sign: Self::V) -> Self::V {
        lanes2(a, sign, f32::copysign)
    }
    #[inline(always)]
    fn round(self, a: Self::V) -> Self::V {
        lanes1(a, f32::round_ties_even)
    }

    #[inline(always)]
    fn lt(self, a: Self::V, b: Self::V) -> Self::Mask {
        lanes2(a, b, |a, b| a < b)
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::Mask {
        lanes2(a, b, |a, b| a <= b)
    }
    #[inline(always)]
    fn eq(self, a: Self::V, b: Self::V) -> Self::Mask {
        lanes2(a, b, |a, b| a == b)
    }
    #[inline(always)]
    fn select(self, mask: Self::Mask, a: Self::V, b: Self::V) -> Self::V {
        let mut r = b;
        for i in 0..N {
            if mask[i] {
                r[i] = a[i];
            }
        }
        r
    }

    #[inline(always)]
    fn scale(self, a: Self::V, n: Self::V) -> Self::V {
        lanes2(a, n, |a, n| {
            // Two factors, since 2^n alone may not be representable.
            let half = (n * 0.5).round_ties_even();
            a * power_of_two(half) * power_of_two(n - half)
        })
    }
    #[inline(always)]
    fn mantissa_exponent(self, a: Self::V) -> (Self::V, Self::V) {
        (
            lanes1(a, |a| f32::from_bits((a.to_bits() & 0x007f_ffff) | 0x3f80_0000)),
            lanes1(a, |a| ((a.to_bits() >> 23) as i32 - 127) as f32),
        )
    }

    #[inline(always)]
    fn reduce_add(self, a: Self::V) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[inline(always)]
    fn reduce_max(self, a: Self::V) -> f32 {
        let max = |a: f32, b: f32| if a > b { a } else { b };
        max(max(a[0], a[2]), max(a[1], a[3]))
    }
}
