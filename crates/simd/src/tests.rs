//! Every implementation against plain arithmetic on every lane.

use super::*;

/// Arguments with every kind of number, more than two vectors of any level.
fn values() -> Vec<f32> {
    let special =
        [0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, 1e-45];
    let plain = (0..60).map(|i| (i as f32 - 30.3) * 0.7);
    special.into_iter().chain(plain).collect()
}

/// Both NaN, or the same bits.
fn same(a: f32, b: f32) -> bool {
    (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
}

/// Turns squares of every level, out of and into rows with something between them that must stay.
struct Turning;

impl Kernel for Turning {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (from_stride, to_stride) = (S::N + 3, S::N + 5);
        let from: Vec<f32> = (0..from_stride * S::N).map(|i| i as f32).collect();
        let mut to = vec![-1.0; to_stride * S::N];
        // SAFETY: both hold a square with these strides.
        unsafe { s.transpose(from.as_ptr(), from_stride, to.as_mut_ptr(), to_stride) };
        for (at, y) in to.into_iter().enumerate() {
            let (i, j) = (at / to_stride, at % to_stride);
            assert_eq!(y, if j < S::N { from[j * from_stride + i] } else { -1.0 }, "{s:?} {i} {j}");
        }
    }
}

#[test]
fn squares_are_turned() {
    for level in Level::available() {
        level.run(Turning);
    }
}

struct Operations;

impl Kernel for Operations {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let values = values();
        let lanes = |v: S::V| {
            let mut out = vec![0.0; S::N];
            s.store(&mut out, v);
            out
        };
        for (shift, x) in values.windows(S::N).enumerate() {
            // Every pairing of two values comes up in some lane.
            for turn in 0..values.len() {
                let y: Vec<f32> = (0..S::N).map(|i| values[(shift + turn + i) % values.len()]).collect();
                let z: Vec<f32> = (0..S::N).map(|i| values[(shift + 7 * turn + i) % values.len()]).collect();
                let (a, b, c) = (s.load(x), s.load(&y), s.load(&z));
                let check = |name: &str, v: S::V, f: &dyn Fn(f32, f32, f32) -> f32| {
                    for (i, result) in lanes(v).into_iter().enumerate() {
                        let expected = f(x[i], y[i], z[i]);
                        assert!(same(result, expected), "{s:?} {name}({}, {}, {}): {result}", x[i], y[i], z[i]);
                    }
                };
                check("add", s.add(a, b), &|a, b, _| a + b);
                check("sub", s.sub(a, b), &|a, b, _| a - b);
                check("mul", s.mul(a, b), &|a, b, _| a * b);
                check("div", s.div(a, b), &|a, b, _| a / b);
                check("min", s.min(a, b), &|a, b, _| if a < b { a } else { b });
                check("max", s.max(a, b), &|a, b, _| if a > b { a } else { b });
                check("abs", s.abs(a), &|a, _, _| a.abs());
                check("neg", s.neg(a), &|a, _, _| -a);
                check("copysign", s.copysign(a, b), &|a, b, _| a.copysign(b));
                check("round", s.round(a), &|a, _, _| a.round_ties_even());
                check("lt", s.select(s.lt(a, b), a, c), &|a, b, c| if a < b { a } else { c });
                check("le", s.select(s.le(a, b), a, c), &|a, b, c| if a <= b { a } else { c });
                check("eq", s.select(s.eq(a, b), a, c), &|a, b, c| if a == b { a } else { c });
                let fused = format!("{s:?}") != format!("{:?}", Scalar::new());
                let fma = |a: f32, b: f32, c: f32| if fused { a.mul_add(b, c) } else { a * b + c };
                check("fma", s.fma(a, b, c), &fma);
                check("neg_fma", s.neg_fma(a, b, c), &|a, b, c| fma(-a, b, c));
            }
            let a = s.load(x);
            for root in [s.sqrt(a), s.sqrt_beside_div(a)] {
                for (result, x) in lanes(root).into_iter().zip(x) {
                    assert!(same(result, x.sqrt()));
                }
            }
            let plain: Vec<f32> = x.iter().map(|x| if x.is_nan() { 0.5 } else { x.clamp(-9.0, 9.0) }).collect();
            let tree = |f: fn(f32, f32) -> f32| {
                let mut v = plain.clone();
                while v.len() > 1 {
                    let half = v.len() / 2;
                    v = (0..half).map(|i| f(v[i], v[i + half])).collect();
                }
                v[0]
            };
            assert!(same(s.reduce_add(s.load(&plain)), tree(|a, b| a + b)));
            assert!(same(s.reduce_max(s.load(&plain)), tree(|a, b| if a > b { a } else { b })));
        }
        for n in -252i16..=252 {
            let (x, n) = (1.3f32, f32::from(n));
            let expected = (f64::from(x) * f64::from(n).exp2()) as f32;
            assert!(same(lanes(s.scale(s.splat(x), s.splat(n)))[0], expected), "{s:?} {x} * 2^{n}");
        }
        for exponent in -126i16..=127 {
            for fraction in [1.0f32, 1.25, 1.999_999_9] {
                let x = (f64::from(fraction) * f64::from(exponent).exp2()) as f32;
                let (m, e) = s.mantissa_exponent(s.splat(x));
                assert_eq!((lanes(m)[0], lanes(e)[0]), (fraction, f32::from(exponent)));
            }
        }
        for count in 0..=S::N {
            let mut out = vec![7.0; S::N + 1];
            s.store_partial(&mut out[..count], s.splat(2.0));
            assert!(out.iter().enumerate().all(|(i, x)| *x == if i < count { 2.0 } else { 7.0 }));
            let read = lanes(s.load_partial(&out[..count]));
            assert!(read.iter().enumerate().all(|(i, x)| *x == if i < count { 2.0 } else { 0.0 }));
        }
        s.prefetch(std::ptr::null());
    }
}

#[test]
fn every_operation_at_every_level() {
    for level in Level::available() {
        level.run(Operations);
    }
}

crate::dispatch! {
    /// Adds up; compiled once per level.
    fn sum_of_products[F: Fn(f32) -> f32](x: &[f32], f: F) -> f32 {
        x.iter().map(|x| f(*x)).sum()
    }
}

/// Roots of all floats of two neighbouring exponents, which stand for all others, and of some of every exponent.
struct Roots;

impl Kernel for Roots {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        let check = |first: u32, step: u32| {
            let mut x = [0.0; 16];
            for (i, x) in x.iter_mut().enumerate() {
                *x = f32::from_bits(first + i as u32 * step);
            }
            for x in x.chunks_exact(S::N) {
                let mut roots = [0.0; 16];
                s.store(&mut roots, s.sqrt_beside_div(s.load(x)));
                assert!(x.iter().zip(roots).all(|(x, root)| same(root, x.sqrt())), "{s:?} of {x:?}");
            }
        };
        let all = if S::N == 16 { 1 } else { 1001 };
        (127 << 23..129 << 23).step_by(16 * all).for_each(|first| check(first, 1));
        (0..255 << 23).step_by(160_001).for_each(|first| check(first, 1));
        // Vectors of very different elements, zeros among them.
        (0..1 << 23).step_by(80_021).for_each(|first| check(first, 16 << 23));
    }
}

#[test]
fn roots_beside_divisions_are_rounded_correctly() {
    for level in Level::available() {
        level.run(Roots);
    }
}

#[test]
fn plain_loops_run_at_every_level() {
    for level in Level::available() {
        assert_eq!(with_level(level, || sum_of_products(&[1.0, 2.0, 3.0], |x| 2.0 * x)), 12.0);
    }
}
