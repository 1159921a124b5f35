//! The update of a weight by Adam's rule.

use ferrograph_simd::{Kernel, Level, Simd};

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
    /// `m' = m + (g - m) * first`, `v' = v + (g^2 - v) * second` and `w' = w - m' * alpha / (sqrt(v') + epsilon)` for
    /// `[m, v, w]` in one pass, each rounded as by one function after another.
    ///
    /// Stores past the caches would save reading the lines that are overwritten, but the next update then waits for the
    /// memory instead of the last-level cache, and takes longer by more than that.
    pub fn update(self, alpha: f32, gradient: &[f32], from: [&[f32]; 3], to: [&mut [f32]; 3]) {
        let len = gradient.len();
        assert!(from.iter().all(|x| x.len() == len) && to.iter().all(|y| y.len() == len));
        Level::current().run(Update { adam: self, alpha, gradient, from, to });
    }
}

struct Update<'a> {
    adam: Adam,
    alpha: f32,
    gradient: &'a [f32],
    from: [&'a [f32]; 3],
    to: [&'a mut [f32]; 3],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Update { adam, alpha, gradient, from: [m, v, w], to: [next_m, next_v, next_w] } = self;
        let rule = Rule {
            first: simd.splat(adam.first),
            second: simd.splat(adam.second),
            epsilon: simd.splat(adam.epsilon),
            alpha: simd.splat(alpha),
        };
        let whole = gradient.len() / S::N * S::N;
        for at in (0..whole).step_by(S::N) {
            let (g, m, v, w) =
                (simd.load(&gradient[at..]), simd.load(&m[at..]), simd.load(&v[at..]), simd.load(&w[at..]));
            let [m, v, w] = rule.next(simd, g, m, v, w);
            simd.store(&mut next_m[at..], m);
            simd.store(&mut next_v[at..], v);
            simd.store(&mut next_w[at..], w);
        }
        let (g, m, v, w) = (&gradient[whole..], &m[whole..], &v[whole..], &w[whole..]);
        let (g, m) = (simd.load_partial(g), simd.load_partial(m));
        let [m, v, w] = rule.next(simd, g, m, simd.load_partial(v), simd.load_partial(w));
        simd.store_partial(&mut next_m[whole..], m);
        simd.store_partial(&mut next_v[whole..], v);
        simd.store_partial(&mut next_w[whole..], w);
    }
}

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
    fn next<S: Simd<V = V>>(self, simd: S, g: V, m: V, v: V, w: V) -> [V; 3] {
        let m = simd.add(m, simd.mul(simd.sub(g, m), self.first));
        let v = simd.add(v, simd.mul(simd.sub(simd.mul(g, g), v), self.second));
        let step = simd.div(simd.mul(m, self.alpha), simd.add(simd.sqrt(v), self.epsilon));
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
                let mut to = [(); 3].map(|()| vec![f32::NAN; len]);
                let [a, b, c] = &mut to;
                with_level(level, || adam.update(0.01, &g, [&m, &v, &w], [a, b, c]));
                for i in 0..len {
                    let m = m[i] + (g[i] - m[i]) * 0.1;
                    let v = v[i] + (g[i] * g[i] - v[i]) * 1e-3;
                    let w = w[i] - m * 0.01 / (v.sqrt() + 1e-7);
                    assert_eq!([to[0][i], to[1][i], to[2][i]], [m, v, w], "{} at {i}", level.name());
                }
            }
        }
    }
}
