//! Random numbers from a counter: Philox 4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
//! as easy as 1, 2, 3", SC 2011).
//!
//! Element `i` of the stream `(seed, counter)` is word `i % 4` of `philox(key = [seed, STREAM], counter = [i / 4 low,
//! i / 4 high, counter, attempt])`. It depends on nothing else, so elements can be made in any order by any number of
//! threads. `attempt` is 0 but where a number is drawn again.

use crate::parallel::for_each_chunk;
use ferrograph_simd::dispatch;

/// The second half of the key: the first digits of pi, a number that hides nothing.
pub const STREAM: u32 = 0x243f_6a88;

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// Elements of a task; a multiple of what is made at a time.
const TASK: usize = 1 << 14;
/// Counters that are worked on side by side.
const LANES: usize = 16;
/// How often a truncated normal number is drawn before it is taken as the bound: 0.0455^64 is below 1e-85.
const ATTEMPTS: u32 = 64;

/// Where a stream of random numbers begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// What the user seeds.
    pub seed: u32,
    /// What goes up with each draw.
    pub counter: u32,
}

/// The four words of one counter.
pub fn philox(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let lanes = philox_lanes(key, counter.map(|word| [word; 1]));
    lanes.map(|[word]| word)
}

#[inline(always)]
fn philox_lanes<const N: usize>(mut key: [u32; 2], counter: [[u32; N]; 4]) -> [[u32; N]; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    for _ in 0..10 {
        for i in 0..N {
            let first = u64::from(a[i]) * u64::from(MULTIPLIERS[0]);
            let second = u64::from(c[i]) * u64::from(MULTIPLIERS[1]);
            a[i] = (second >> 32) as u32 ^ b[i] ^ key[0];
            b[i] = second as u32;
            c[i] = (first >> 32) as u32 ^ d[i] ^ key[1];
            d[i] = first as u32;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    [a, b, c, d]
}

impl State {
    /// The four words that elements `4 * block..4 * block + 4` are made of.
    fn words(self, block: u64, attempt: u32) -> [u32; 4] {
        philox([self.seed, STREAM], [block as u32, (block >> 32) as u32, self.counter, attempt])
    }
}

/// Uniform in `[0, 1)`, a multiple of 2^-24.
#[inline(always)]
fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

dispatch! {
    /// `y[i] = f(word)` for the elements from `4 * block` on.
    fn fill[F: Fn(u32) -> f32 + Copy](state: State, block: u64, y: &mut [f32], f: F) {
        for (group, y) in y.chunks_mut(4 * LANES).enumerate() {
            let first = block + (group * LANES) as u64;
            let mut counter = [[0; LANES], [0; LANES], [state.counter; LANES], [0; LANES]];
            for i in 0..LANES {
                counter[0][i] = (first + i as u64) as u32;
                counter[1][i] = ((first + i as u64) >> 32) as u32;
            }
            let words = philox_lanes([state.seed, STREAM], counter);
            let mut values = [0.0; 4 * LANES];
            for i in 0..LANES {
                for (word, words) in words.iter().enumerate() {
                    values[4 * i + word] = f(words[i]);
                }
            }
            y.copy_from_slice(&values[..y.len()]);
        }
    }
}

fn fill_parallel(state: State, y: &mut [f32], f: impl Fn(u32) -> f32 + Copy + Sync) {
    for_each_chunk(y, TASK, |index, y| fill(state, (index * TASK / 4) as u64, y, f));
}

/// Uniform in `[low, high)`, up to the rounding of `low + (high - low) * u`.
pub fn uniform(state: State, low: f32, high: f32, y: &mut [f32]) {
    fill_parallel(state, y, move |word| low + (high - low) * unit(word));
}

/// 1 with the given probability, else 0.
pub fn bernoulli(state: State, probability: f32, y: &mut [f32]) {
    fill_parallel(state, y, move |word| if unit(word) < probability { 1.0 } else { 0.0 });
}

/// Normal, by Box and Muller's method in f64: two words make the cosine and the sine of a pair.
pub fn normal(state: State, mean: f32, stddev: f32, y: &mut [f32]) {
    for_each_chunk(y, TASK, |index, y| {
        for (block, y) in ((index * TASK / 4) as u64..).zip(y.chunks_mut(4)) {
            for (y, z) in y.iter_mut().zip(normals(state.words(block, 0))) {
                *y = (f64::from(mean) + f64::from(stddev) * z) as f32;
            }
        }
    });
}

/// Normal within two standard deviations: what falls outside is drawn again, each element for itself.
pub fn truncated_normal(state: State, mean: f32, stddev: f32, y: &mut [f32]) {
    for_each_chunk(y, TASK, |index, y| {
        for (block, y) in ((index * TASK / 4) as u64..).zip(y.chunks_mut(4)) {
            let mut z = normals(state.words(block, 0));
            for (lane, y) in y.iter_mut().enumerate() {
                let mut attempt = 1;
                while z[lane].abs() > 2.0 && attempt < ATTEMPTS {
                    z[lane] = normals(state.words(block, attempt))[lane];
                    attempt += 1;
                }
                *y = (f64::from(mean) + f64::from(stddev) * z[lane].clamp(-2.0, 2.0)) as f32;
            }
        }
    });
}

/// Four standard normal numbers of four words.
fn normals([a, b, c, d]: [u32; 4]) -> [f64; 4] {
    let pair = |radius: u32, angle: u32| {
        // In (0, 1], so that the logarithm is finite.
        let u = (f64::from(radius) + 1.0) / 4_294_967_296.0;
        let r = (-2.0 * u.ln()).sqrt();
        let (sin, cos) = (f64::from(angle) / 4_294_967_296.0 * std::f64::consts::TAU).sin_cos();
        [r * cos, r * sin]
    };
    let ([p, q], [r, s]) = (pair(a, b), pair(c, d));
    [p, q, r, s]
}

/// The numbers `0..y.len()` in random order, by Fisher and Yates's shuffle: from the last place down, place `k` changes
/// with place `word * (k + 1) / 2^32`, the words taken in the order of `k` going down.
pub fn permutation(state: State, y: &mut [i32]) {
    for (i, y) in (0..).zip(y.iter_mut()) {
        *y = i;
    }
    let mut words = [0; 4];
    for (draw, k) in (1..y.len()).rev().enumerate() {
        if draw % 4 == 0 {
            words = state.words((draw / 4) as u64, 0);
        }
        let j = (u64::from(words[draw % 4]) * (k as u64 + 1)) >> 32;
        y.swap(k, j as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: State = State { seed: 42, counter: 7 };

    /// The vectors of the authors' own test (Random123 1.14.0, `tests/kat_vectors`, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 2], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 2], [u32::MAX; 4]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let counter = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(philox([0xa409_3822, 0x299f_31d0], counter), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn an_element_does_not_depend_on_the_length() {
        for f in [uniform, normal, truncated_normal] {
            let (mut long, mut short) = (vec![0.0; 40_001], vec![0.0; 33]);
            f(STATE, -1.0, 2.0, &mut long);
            f(STATE, -1.0, 2.0, &mut short);
            assert_eq!(long[..33], short);
        }
        let mut y = vec![0.0; 70];
        uniform(STATE, 0.0, 1.0, &mut y);
        for (i, y) in y.iter().enumerate() {
            assert_eq!(*y, unit(STATE.words(i as u64 / 4, 0)[i % 4]));
        }
    }

    /// Mean and variance of a million numbers, within five standard errors.
    #[test]
    fn moments() {
        let mut y = vec![0.0; 1 << 20];
        let mut check = |f: fn(State, f32, f32, &mut [f32]), mean: f64, variance: f64, kurtosis: f64| {
            f(STATE, 0.0, 1.0, &mut y);
            let n = y.len() as f64;
            let m = y.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let v = y.iter().map(|&v| (f64::from(v) - m).powi(2)).sum::<f64>() / n;
            assert!((m - mean).abs() < 5.0 * (variance / n).sqrt(), "{m}");
            assert!((v - variance).abs() < 5.0 * variance * ((kurtosis - 1.0) / n).sqrt(), "{v}");
        };
        check(uniform, 0.5, 1.0 / 12.0, 1.8);
        check(normal, 0.0, 1.0, 3.0);
        // Variance and kurtosis of the standard normal cut at 2 (scipy.stats.truncnorm(-2, 2)).
        check(truncated_normal, 0.0, 0.773_741_2, 2.365_537);
    }

    #[test]
    fn truncated_numbers_stay_within_two_deviations() {
        let mut y = vec![0.0; 100_000];
        truncated_normal(STATE, 1.0, 0.5, &mut y);
        assert!(y.iter().all(|y| (0.0..=2.0).contains(y)));
    }

    #[test]
    fn bernoulli_counts() {
        let mut y = vec![0.5; 100_000];
        for (probability, wanted) in [(0.0, 0.0), (1.0, 100_000.0), (0.3, 30_000.0)] {
            bernoulli(STATE, probability, &mut y);
            let ones = y.iter().sum::<f32>();
            assert!(y.iter().all(|y| *y == 0.0 || *y == 1.0) && (ones - wanted).abs() < 750.0, "{ones}");
        }
    }

    #[test]
    fn permutations_are_permutations() {
        let mut y = [0; 1000];
        permutation(STATE, &mut y);
        assert!(y.iter().enumerate().any(|(i, y)| i as i32 != *y));
        y.sort_unstable();
        assert!((0..).zip(y).all(|(i, y)| i == y));
        permutation(STATE, &mut []);
    }
}
