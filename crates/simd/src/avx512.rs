//! 512-bit vectors.

use crate::Simd;
use std::arch::x86_64::*;

/// Sixteen lanes. A value proves that the processor has AVX-512 F, BW, DQ and VL, AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        has.then_some(Avx512(()))
    }
}

/// Between 2^-79 and 2^95 all of [`Simd::sqrt_beside_div`] is normal.
const LEAST_BY_PRODUCTS: f32 = f32::from_bits(48 << 23);
const MOST_BY_PRODUCTS: f32 = f32::from_bits(222 << 23);

#[inline(always)]
fn first_lanes(count: usize) -> __mmask16 {
    ((1u32 << count.min(16)) - 1) as __mmask16
}

impl Simd for Avx512 {
    type V = __m512;
    type Mask = __mmask16;
    const N: usize = 16;
    const TILE_ROWS: usize = 8;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, p: *const f32) -> __m512 {
        // SAFETY: the caller promises 16 readable floats; `self` proves the processor has AVX-512.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32, v: __m512) {
        // SAFETY: the caller promises 16 writable floats; `self` proves the processor has AVX-512.
        unsafe { _mm512_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn load_partial_ptr(self, p: *const f32, count: usize) -> __m512 {
        // SAFETY: masked lanes are not read, so `count` readable floats suffice; `self` proves AVX-512.
        unsafe { _mm512_maskz_loadu_ps(first_lanes(count), p) }
    }
    #[inline(always)]
    unsafe fn store_partial_ptr(self, p: *mut f32, v: __m512, count: usize) {
        // SAFETY: masked lanes are not written, so `count` writable floats suffice; `self` proves AVX-512.
        unsafe { _mm512_mask_storeu_ps(p, first_lanes(count), v) }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: `self` proves the processor has AVX-512; the square is the caller's promise.
        unsafe {
            let rows: [__m512; 16] = std::array::from_fn(|j| _mm512_loadu_ps(from.add(j * from_stride)));
            // Within each quarter of 4 lanes the 4 x 4 squares are turned, then the quarters change places.
            let mut turned = [_mm512_setzero_ps(); 16];
            for q in 0..4 {
                let [a, b, c, d] = [rows[4 * q], rows[4 * q + 1], rows[4 * q + 2], rows[4 * q + 3]];
                let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
                let (ab_high, cd_high) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
                turned[4 * q] = _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd);
                turned[4 * q + 1] = _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd);
                turned[4 * q + 2] = _mm512_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high);
                turned[4 * q + 3] = _mm512_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high);
            }
            for i in 0..4 {
                let [a, b, c, d] = [turned[i], turned[4 + i], turned[8 + i], turned[12 + i]];
                let even = (_mm512_shuffle_f32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_f32x4::<0b10_00_10_00>(c, d));
                let odd = (_mm512_shuffle_f32x4::<0b11_01_11_01>(a, b), _mm512_shuffle_f32x4::<0b11_01_11_01>(c, d));
                let to = to.add(i * to_stride);
                _mm512_storeu_ps(to, _mm512_shuffle_f32x4::<0b10_00_10_00>(even.0, even.1));
                _mm512_storeu_ps(to.add(4 * to_stride), _mm512_shuffle_f32x4::<0b10_00_10_00>(odd.0, odd.1));
                _mm512_storeu_ps(to.add(8 * to_stride), _mm512_shuffle_f32x4::<0b11_01_11_01>(even.0, even.1));
                _mm512_storeu_ps(to.add(12 * to_stride), _mm512_shuffle_f32x4::<0b11_01_11_01>(odd.0, odd.1));
            }
        }
    }

    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a prefetch does not fault; every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    fn prefetch_far(self, p: *const f32) {
        // SAFETY: as for `prefetch`.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn neg_fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_sqrt_ps(a) }
    }
    /// Two steps after Goldschmidt and Markstein from an estimate of 14 bits: 10 cycles beside divisions instead of 18 after
    /// them.
    #[inline(always)]
    fn sqrt_beside_div(self, a: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe {
            let [least, most] = [LEAST_BY_PRODUCTS, MOST_BY_PRODUCTS].map(|limit| _mm512_set1_ps(limit));
            let zero = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, _mm512_setzero_ps());
            let small = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, most);
            let usual = _mm512_mask_cmp_ps_mask::<_CMP_GE_OQ>(small, a, least);
            if zero | usual != __mmask16::MAX {
                return self.sqrt(a);
            }
            let half = _mm512_set1_ps(0.5);
            let inverse = _mm512_rsqrt14_ps(a);
            let (root, half_inverse) = (_mm512_mul_ps(a, inverse), _mm512_mul_ps(inverse, half));
            let error = _mm512_fnmadd_ps(root, half_inverse, half);
            let root = _mm512_fmadd_ps(root, error, root);
            let half_inverse = _mm512_fmadd_ps(half_inverse, error, half_inverse);
            // What is left of `a` is exact, and less than two last places of the root: the sum is rounded correctly.
            let rest = _mm512_fnmadd_ps(root, root, a);
            _mm512_mask_mov_ps(_mm512_fmadd_ps(rest, half_inverse, root), zero, a)
        }
    }
    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_andnot_ps(_mm512_set1_ps(-0.0), a) }
    }
    #[inline(always)]
    fn neg(self, a: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_xor_ps(_mm512_set1_ps(-0.0), a) }
    }
    #[inline(always)]
    fn copysign(self, a: __m512, sign: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe {
            let bit = _mm512_set1_ps(-0.0);
            _mm512_or_ps(_mm512_andnot_ps(bit, a), _mm512_and_ps(bit, sign))
        }
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    fn le(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
    }
    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }

    #[inline(always)]
    fn scale(self, a: __m512, n: __m512) -> __m512 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { _mm512_scalef_ps(a, n) }
    }
    #[inline(always)]
    fn mantissa_exponent(self, a: __m512) -> (__m512, __m512) {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe { (_mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(a), _mm512_getexp_ps(a)) }
    }

    #[inline(always)]
    fn reduce_add(self, a: __m512) -> f32 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe {
            let a = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps::<1>(a, a)))
        }
    }
    #[inline(always)]
    fn reduce_max(self, a: __m512) -> f32 {
        // SAFETY: `self` proves the processor has AVX-512.
        unsafe {
            let a = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_max_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps::<1>(a, a)))
        }
    }
}
