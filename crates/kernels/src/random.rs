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

/// The step of uniform numbers, 2^-24.
const UNIT: f32 = 1.0 / 16_777_216.0;

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
    (word >> 8) as i32 as f32 * UNIT
}

#[inline(always)]
fn counters(state: State, block: u64) -> [[u32; LANES]; 4] {
    let blocks: [u64; LANES] = std::array::from_fn(|i| block + i as u64);
    [blocks.map(|block| block as u32), blocks.map(|block| (block >> 32) as u32), [state.counter; LANES], [0; LANES]]
}

/// Puts the values made of the four words of each counter beside one another.
#[inline(always)]
fn interleave(values: &[[f32; LANES]; 4], y: &mut [f32]) {
    let mut all = [0.0; 4 * LANES];
    for i in 0..LANES {
        for (word, values) in values.iter().enumerate() {
            all[4 * i + word] = values[i];
        }
    }
    y.copy_from_slice(&all[..y.len()]);
}

dispatch! {
    /// `y[i] = f(word)` for the elements from `4 * block` on.
    fn fill[F: Fn(u32) -> f32 + Copy](state: State, block: u64, y: &mut [f32], f: F) {
        for (group, y) in (0..).zip(y.chunks_mut(4 * LANES)) {
            let words = philox_lanes([state.seed, STREAM], counters(state, block + group * LANES as u64));
            interleave(&words.map(|lanes| lanes.map(f)), y);
        }
    }

    /// Standard normal numbers for the elements from `4 * block` on, by Box and Muller's method: two words make the
    /// cosine and the sine of a pair.
    fn fill_normal(state: State, block: u64, y: &mut [f32]) {
        for (group, y) in (0..).zip(y.chunks_mut(4 * LANES)) {
            let [a, b, c, d] = philox_lanes([state.seed, STREAM], counters(state, block + group * LANES as u64));
            let (mut u, mut log) = ([0.0; 2 * LANES], [0.0; 2 * LANES]);
            for i in 0..LANES {
                // In (0, 1], so that the logarithm is finite.
                u[i] = unit(a[i]) + UNIT;
                u[LANES + i] = unit(c[i]) + UNIT;
            }
            crate::vecmath::log(&u, &mut log);
            let mut values = [[0.0; LANES]; 4];
            for i in 0..LANES {
                let (r, s) = ((-2.0 * log[i]).sqrt(), (-2.0 * log[LANES + i]).sqrt());
                let (first, second) = (sin_cos(b[i]), sin_cos(d[i]));
                [values[0][i], values[1][i]] = [r * first.1, r * first.0];
                [values[2][i], values[3][i]] = [s * second.1, s * second.0];
            }
            interleave(&values, y);
        }
    }
}

/// Sine and cosine of `word / 2^32` of a full turn, of which the upper 24 bits count.
///
/// The quarter turn is found in integers; the polynomials for what is left, at most an eighth of a turn, are those of
/// Cephes (S. L. Moshier, `single/sinf.c`), accurate to 6e-8.
#[inline(always)]
fn sin_cos(word: u32) -> (f32, f32) {
    let turn = (word >> 8) as i32;
    let quarter = (turn + (1 << 21)) >> 22;
    let x = (turn - (quarter << 22)) as f32 * (std::f32::consts::FRAC_PI_2 / 4_194_304.0);
    let z = x * x;
    let sin = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_665_5e-1) * z * x + x;
    let cos = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - 0.5 * z + 1.0;
    let (sin, cos) = if quarter & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let sin = if quarter & 2 == 0 { sin } else { -sin };
    let cos = if (quarter + 1) & 2 == 0 { cos } else { -cos };
    (sin, cos)
}

/// Uniform in `[low, high)`, up to the rounding of `low + (high - low) * u`.
pub fn uniform(state: State, low: f32, high: f32, y: &mut [f32]) {
    for_each_chunk(y, TASK, |index, y| {
        fill(state, (index * TASK / 4) as u64, y, move |word| low + (high - low) * unit(word));
    });
}

/// 1 with the given probability, else 0.
pub fn bernoulli(state: State, probability: f32, y: &mut [f32]) {
    // `unit(word) < probability` in integers.
    let limit = (probability / UNIT).ceil() as i32;
    for_each_chunk(y, TASK, |index, y| {
        let hit = move |word: u32| f32::from(u8::from(((word >> 8) as i32) < limit));
        fill(state, (index * TASK / 4) as u64, y, hit);
    });
}

/// Normal with that mean and standard deviation.
pub fn normal(state: State, mean: f32, stddev: f32, y: &mut [f32]) {
    for_each_chunk(y, TASK, |index, y| {
        fill_normal(state, (index * TASK / 4) as u64, y);
        scale(mean, stddev, y);
    });
}

/// Normal within two standard deviations: what falls outside is drawn again, each element for itself.
pub fn truncated_normal(state: State, mean: f32, stddev: f32, y: &mut [f32]) {
    for_each_chunk(y, TASK, |index, y| {
        fill_normal(state, (index * TASK / 4) as u64, y);
        for (i, z) in (index * TASK..).zip(y.iter_mut()) {
            let mut attempt = 1;
            while z.abs() > 2.0 && attempt < ATTEMPTS {
                *z = one_normal(state.words((i / 4) as u64, attempt), i % 4);
                attempt += 1;
            }
            *z = z.clamp(-2.0, 2.0);
        }
        scale(mean, stddev, y);
    });
}

/// One number of those that [`fill_normal`] makes of four words.
fn one_normal(words: [u32; 4], lane: usize) -> f32 {
    let (radius, angle) = (words[lane / 2 * 2], words[lane / 2 * 2 + 1]);
    let r = (-2.0 * (unit(radius) + UNIT).ln()).sqrt();
    let (sin, cos) = sin_cos(angle);
    r * if lane.is_multiple_of(2) { cos } else { sin }
}

dispatch! {
    /// `y = mean + stddev * y`
    fn scale(mean: f32, stddev: f32, y: &mut [f32]) {
        for y in y {
            *y = mean + stddev * *y;
        }
    }
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
