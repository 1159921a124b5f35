//! Operands made from their description, the same every time.

use ferrograph_graph::{Fill, Operand, Reference};
use ferrograph_tensor::DType;

/// A small generator: `SplitMix64` (Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded by any text.
    pub fn new(seed: &str) -> Self {
        // FNV-1a
        Self(
            seed.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// The operand's elements. float32 elements are exactly representable, so the kernels see the same numbers as the
/// reference.
///
/// # Panics
/// When the description holds another number of values than the shape.
pub fn fill(operand: &Operand, seed: &str) -> Reference {
    let mut random = Random::new(seed);
    let count: usize = operand.shape.iter().product();
    let data: Vec<f64> = match &operand.fill {
        Fill::Normal => (0..count)
            .map(|_| {
                let mut x = random.normal();
                while x.abs() < 0.05 {
                    x = random.normal();
                }
                x
            })
            .collect(),
        Fill::Uniform(low, high) => (0..count).map(|_| low + (high - low) * random.unit()).collect(),
        Fill::Integers(low, high) => {
            let span = (i64::from(*high) - i64::from(*low) + 1) as u64;
            (0..count).map(|_| (i64::from(*low) + (random.bits() % span) as i64) as f64).collect()
        }
        Fill::Distinct => distinct(count, &mut random),
        Fill::Values(values) => values.clone(),
    };
    let data = match operand.dtype {
        DType::Float32 => data.into_iter().map(|x| f64::from(x as f32)).collect(),
        DType::Int32 | DType::Bool | DType::Uint8 => data,
    };
    Reference::new(operand.dtype, &operand.shape, data)
}

/// Numbers around zero, 0.125 apart, shuffled (Fisher and Yates).
fn distinct(count: usize, random: &mut Random) -> Vec<f64> {
    let mut values: Vec<f64> = (0..count).map(|i| (i as f64 - count as f64 / 2.0 + 0.25) * 0.125).collect();
    for i in (1..count).rev() {
        values.swap(i, (random.bits() % (i as u64 + 1)) as usize);
    }
    values
}
