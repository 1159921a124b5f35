//! The update of a weight by Adam's rule.

use ferrograph_simd::{Kernel, Level, Simd};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// The constants of the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// How far the first moment moves towards the gradient.
    pub first: f32,
    /// How far the second moment moves towards the gradient's square.
    pub second: f32,
    /// What keeps the divisor from 0.
    pub epsilon: f32,
}

impl Adam {
    /// `m' = m + (g - m) * first`, `v' = v + (g^2 - v) * second` where they lie, and `next = w - m' * alpha / (sqrt(v') +
    /// epsilon)`, in one pass, each rounded as by one function after another.
    ///
    /// To write `m'` and `v'` elsewhere, too, takes 1.2 times as long: every line that is written is read before. Stores past
    /// the caches save that, but the next update then waits for the memory instead of the last-level cache, and takes longer
    /// by more than that.
    pub fn update(self, alpha: f32, gradient: &[f32], moments: [&mut [f32]; 2], w: &[f32], next: &mut [f32]) {
        let len = gradient.len();
        assert!(moments.iter().all(|moment| moment.len() == len) && w.len() == len && next.len() == len);
        Level::current().run(Update { adam: self, alpha, gradient, moments, before: Some(w), w: next });
    }

    /// As [`Self::update`] of whole rows of moments and weights where they lie. Rows stay as they are whose gradient and
    /// moments are all zeros: to the bit, so they need not be read.
    pub fn update_rows(self, alpha: f32, gradient: &[f32], [m, v, w]: [&mut [f32]; 3], rows: Rows<'_>) {
        // With others, what is 0 or -0 might change.
        if !(alpha >= 0.0 && alpha.is_finite() && self.epsilon > 0.0) {
            let own = &rows.touched[..gradient.len() / rows.len];
            for touched in own {
                touched.store(true, Ordering::Relaxed);
            }
        }
        let len = gradient.len();
        assert!(m.len() == len && v.len() == len && w.len() == len);
        assert!(len.is_multiple_of(rows.len) && len / rows.len <= rows.touched.len());
        let update = Update { adam: self, alpha, gradient, moments: [m, v], before: None, w };
        Level::current().run(UpdateRows { update, rows });
    }
}

/// What is known of the rows of a table.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Elements of a row.
    pub len: usize,
    /// For each row whether its gradient or its moments may be other than zeros; of rows that follow, too, if they are to be
    /// updated next.
    pub touched: &'a [AtomicBool],
}

impl Rows<'_> {
    /// A bit for each of these rows: whether it is touched.
    #[inline(always)]
    fn touched(&self, rows: Range<usize>) -> u64 {
        let mut bits = 0;
        for touched in self.touched[rows].iter().rev() {
            bits = 2 * bits + u64::from(touched.load(Ordering::Relaxed));
        }
        bits
    }
}

/// The places of the ones of a word.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(place)
    }
}

struct Update<'a> {
    adam: Adam,
    alpha: f32,
    gradient: &'a [f32],
    moments: [&'a mut [f32]; 2],
    /// The weights before the update, unless they lie where the next go.
    before: Option<&'a [f32]>,
    w: &'a mut [f32],
}

impl Update<'_> {
    /// The same of some elements.
    fn part(&mut self, part: Range<usize>) -> Update<'_> {
        let [m, v] = &mut self.moments;
        Update {
            adam: self.adam,
            alpha: self.alpha,
            gradient: &self.gradient[part.clone()],
            moments: [&mut m[part.clone()], &mut v[part.clone()]],
            before: self.before.map(|before| &before[part.clone()]),
            w: &mut self.w[part],
        }
    }

    /// Has that many elements from `at` on brought nearer, which may lie behind these.
    #[inline(always)]
    fn ask_for<S: Simd>(&self, simd: S, at: usize, len: usize) {
        let [m, v] = &self.moments;
        for at in (at..at + len).step_by(LINE) {
            for part in [&**m, &**v, self.w] {
                simd.prefetch_far(part.as_ptr().wrapping_add(at));
            }
        }
    }
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Update { adam, alpha, gradient, moments: [m, v], before, w } = self;
        let rule = Rule {
            first: simd.splat(adam.first),
            second: simd.splat(adam.second),
            epsilon: simd.splat(adam.epsilon),
            alpha: simd.splat(alpha),
        };
        let whole = gradient.len() / S::N * S::N;
        for at in (0..whole).step_by(S::N) {
            let state = [simd.load(&m[at..]), simd.load(&v[at..]), simd.load(&before.unwrap_or(w)[at..])];
            let after = rule.next(simd, simd.load(&gradient[at..]), state);
            simd.store(&mut m[at..], after[0]);
            simd.store(&mut v[at..], after[1]);
            simd.store(&mut w[at..], after[2]);
        }
        if whole == gradient.len() {
            return;
        }
        let state = [&*m, &*v, before.unwrap_or(w)].map(|part| simd.load_partial(&part[whole..]));
        let after = rule.next(simd, simd.load_partial(&gradient[whole..]), state);
        simd.store_partial(&mut m[whole..], after[0]);
        simd.store_partial(&mut v[whole..], after[1]);
        simd.store_partial(&mut w[whole..], after[2]);
    }
}

/// An update of those rows that it changes.
struct UpdateRows<'a> {
    update: Update<'a>,
    rows: Rows<'a>,
}

impl Kernel for UpdateRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { mut update, rows } = self;
        let count = update.gradient.len() / rows.len;
        for first in (0..count).step_by(GROUP) {
            let end = count.min(first + GROUP);
            let touched = rows.touched(first..end);
            // Rows that are touched lie anywhere, so that the processor does not foresee them: each update asks for a row of
            // the next group.
            let mut next = Ones(rows.touched(end..rows.touched.len().min(end + GROUP)));
            for row in Ones(touched) {
                if let Some(next) = next.next() {
                    update.ask_for(simd, (end + next) * rows.len, rows.len);
                }
                let row = first + row;
                update.part(row * rows.len..(row + 1) * rows.len).run(simd);
            }
            for next in next {
                update.ask_for(simd, (end + next) * rows.len, rows.len);
            }
        }
    }
}

/// Rows that are looked at together: the bits of a word.
const GROUP: usize = 64;

/// Floats of a cache line.
const LINE: usize = 16;

/// The constants in all lanes.
#[derive(Clone, Copy)]
struct Rule<V> {
    first: V,
    second: V,
    epsilon: V,
    alpha: V,
}

impl<V: Copy> Rule<V> {
    #[inline(always)]
    fn next<S: Simd<V = V>>(self, simd: S, g: V, [m, v, w]: [V; 3]) -> [V; 3] {
        let m = simd.add(m, simd.mul(simd.sub(g, m), self.first));
        let v = simd.add(v, simd.mul(simd.sub(simd.mul(g, g), v), self.second));
        let step = simd.div(simd.mul(m, self.alpha), simd.add(simd.sqrt_beside_div(v), self.epsilon));
        [m, v, simd.sub(w, step)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_simd::with_level;

    #[test]
    fn equals_one_function_after_another() {
        let adam = Adam { first: 0.1, second: 1e-3, epsilon: 1e-7 };
        for len in [0, 1, 15, 16, 17, 64, 131] {
            let values = |seed: usize| -> Vec<f32> {
                (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f32 * 0.013 - 0.5).collect()
            };
            let (g, m, w) = (values(1), values(2), values(3));
            let v: Vec<f32> = values(4).iter().map(|x| x.abs()).collect();
            for level in Level::available() {
                let (mut to_m, mut to_v, mut to) = (m.clone(), v.clone(), vec![f32::NAN; len]);
                with_level(level, || adam.update(0.01, &g, [&mut to_m, &mut to_v], &w, &mut to));
                for i in 0..len {
                    let m = m[i] + (g[i] - m[i]) * 0.1;
                    let v = v[i] + (g[i] * g[i] - v[i]) * 1e-3;
                    let w = w[i] - m * 0.01 / (v.sqrt() + 1e-7);
                    assert_eq!([to_m[i], to_v[i], to[i]], [m, v, w], "{} at {i}", level.name());
                }
            }
        }
    }

    /// A table of which some rows have moments and some a gradient, of the worst kinds of zero.
    fn table(rows: usize, len: usize) -> [Vec<f32>; 4] {
        let values = |seed: usize, of: fn(usize) -> bool| -> Vec<f32> {
            let value = |i: usize| ((i * 37 + seed * 11) % 101) as f32 * 0.013 - 0.5;
            (0..rows * len).map(|i| if of(i / len % 8) { value(i) } else { 0.0 }).collect()
        };
        let mut g = values(1, |row| matches!(row, 0 | 1 | 6));
        g[2 * len] = -0.0;
        let mut w = values(2, |_| true);
        for (i, special) in [-0.0, f32::NAN, f32::INFINITY, 1e-45].into_iter().enumerate() {
            w[3 * len + i] = special;
        }
        let m = values(3, |row| matches!(row, 1 | 5));
        let mut v: Vec<f32> = m.iter().map(|m| m * m).collect();
        v[4 * len] = 1e-30;
        [g, m, v, w]
    }

    #[test]
    fn rows_without_moments_and_gradient_stay() {
        let (rows, len) = (GROUP * 2 + 16, 20);
        let bits = |x: &[f32]| -> Vec<u32> { x.iter().map(|x| x.to_bits()).collect() };
        for level in Level::available() {
            for (alpha, epsilon) in [(0.01, 1e-7), (-0.01, 1e-7), (f32::INFINITY, 1e-7), (0.0, 1e-7), (0.01, 0.0)] {
                let adam = Adam { first: 0.1, second: 1e-3, epsilon };
                let [g, m, v, w] = table(rows, len);
                let (mut m1, mut v1, mut w1) = (m.clone(), v.clone(), vec![f32::NAN; w.len()]);
                with_level(level, || adam.update(alpha, &g, [&mut m1, &mut v1], &w, &mut w1));
                let of_row = |x: &[f32], row: usize| x[row * len..][..len].iter().any(|x| x.to_bits() != 0);
                let moves = |row: usize| g[row * len..][..len].iter().any(|g| *g != 0.0);
                let touched: Vec<AtomicBool> =
                    (0..rows).map(|row| AtomicBool::new(moves(row) || of_row(&m, row) || of_row(&v, row))).collect();
                let (mut m2, mut v2, mut w2) = (m.clone(), v.clone(), w.clone());
                let known = Rows { len, touched: &touched };
                with_level(level, || adam.update_rows(alpha, &g, [&mut m2, &mut v2, &mut w2], known));
                assert_eq!([&m1, &v1, &w1].map(|x| bits(x)), [&m2, &v2, &w2].map(|x| bits(x)), "{alpha} {epsilon}");
                for (row, touched) in touched.iter().enumerate() {
                    let left = of_row(&m2, row) || of_row(&v2, row);
                    assert!(!left || touched.load(Ordering::Relaxed), "row {row}");
                }
            }
        }
    }
}
