//! What is folded.

/// A fold of elements into one. Merging the folds of two halves is the fold of the whole.
pub trait Reducer: Copy + Send + Sync {
    /// Type of the operand and of the result.
    type Element: Copy + Send + Sync;
    /// Type of what is kept while folding.
    type Accumulator: Pack;
    /// The fold of nothing.
    const IDENTITY: Self::Accumulator;
    /// Takes one more element.
    fn step(a: Self::Accumulator, x: Self::Element) -> Self::Accumulator;
    /// Joins two folds.
    fn merge(a: Self::Accumulator, b: Self::Accumulator) -> Self::Accumulator;
    /// The result.
    fn finish(self, a: Self::Accumulator) -> Self::Element;
}

/// Accumulators that are kept in scratch memory of float32 without loss.
pub trait Pack: Copy + Send + Sync {
    /// The bits.
    fn pack(self) -> [f32; 2];
    /// The accumulator of those bits.
    fn unpack(words: [f32; 2]) -> Self;
}

impl Pack for f64 {
    fn pack(self) -> [f32; 2] {
        let bits = self.to_bits();
        [f32::from_bits((bits >> 32) as u32), f32::from_bits(bits as u32)]
    }

    fn unpack([high, low]: [f32; 2]) -> Self {
        Self::from_bits(u64::from(high.to_bits()) << 32 | u64::from(low.to_bits()))
    }
}

impl Pack for f32 {
    fn pack(self) -> [f32; 2] {
        [self, 0.0]
    }

    fn unpack([value, _]: [f32; 2]) -> Self {
        value
    }
}

impl Pack for i32 {
    fn pack(self) -> [f32; 2] {
        [f32::from_bits(self as u32), 0.0]
    }

    fn unpack([value, _]: [f32; 2]) -> Self {
        value.to_bits() as Self
    }
}

impl Pack for u8 {
    fn pack(self) -> [f32; 2] {
        [f32::from(self), 0.0]
    }

    fn unpack([value, _]: [f32; 2]) -> Self {
        value as Self
    }
}

macro_rules! reducer {
    ($doc:literal, $name:ident, $element:ty, $accumulator:ty, $identity:expr, $step:expr, $merge:expr, $finish:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Reducer for $name {
            type Element = $element;
            type Accumulator = $accumulator;
            const IDENTITY: $accumulator = $identity;

            #[inline(always)]
            fn step(a: $accumulator, x: $element) -> $accumulator {
                $step(a, x)
            }

            #[inline(always)]
            fn merge(a: $accumulator, b: $accumulator) -> $accumulator {
                $merge(a, b)
            }

            #[inline(always)]
            fn finish(self, a: $accumulator) -> $element {
                $finish(a)
            }
        }
    };
}

/// The larger; NaN if one is. `a` stays where it is NaN, because nothing compares to it.
#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// The smaller; NaN if one is.
#[inline(always)]
fn min(a: f32, b: f32) -> f32 {
    if b < a || b.is_nan() { b } else { a }
}

reducer!("Sum, in f64.", SumF32, f32, f64, 0.0, |a, x| a + f64::from(x), |a, b| a + b, |a| a as f32);
reducer!("Product, in f64.", ProdF32, f32, f64, 1.0, |a, x| a * f64::from(x), |a, b| a * b, |a| a as f32);
reducer!("Largest; NaN if any is.", MaxF32, f32, f32, f32::NEG_INFINITY, max, max, |a| a);
reducer!("Smallest; NaN if any is.", MinF32, f32, f32, f32::INFINITY, min, min, |a| a);
reducer!("Sum, wrapping.", SumI32, i32, i32, 0, i32::wrapping_add, i32::wrapping_add, |a| a);
reducer!("Product, wrapping.", ProdI32, i32, i32, 1, i32::wrapping_mul, i32::wrapping_mul, |a| a);
reducer!("Largest.", MaxI32, i32, i32, i32::MIN, Ord::max, Ord::max, |a| a);
reducer!("Smallest.", MinI32, i32, i32, i32::MAX, Ord::min, Ord::min, |a| a);
reducer!("1 if any is not 0.", Any, u8, u8, 0, |a, x| a | u8::from(x != 0), |a, b| a | b, |a| a);
reducer!("1 if none is 0.", All, u8, u8, 1, |a, x| a & u8::from(x != 0), |a, b| a & b, |a| a);

/// Mean of `count` elements, in f64; NaN of none.
#[derive(Clone, Copy, Debug)]
pub struct MeanF32 {
    /// Elements folded into each result.
    pub count: usize,
}

impl Reducer for MeanF32 {
    type Element = f32;
    type Accumulator = f64;
    const IDENTITY: f64 = 0.0;

    #[inline(always)]
    fn step(a: f64, x: f32) -> f64 {
        a + f64::from(x)
    }

    #[inline(always)]
    fn merge(a: f64, b: f64) -> f64 {
        a + b
    }

    #[inline(always)]
    fn finish(self, a: f64) -> f32 {
        (a / self.count as f64) as f32
    }
}
