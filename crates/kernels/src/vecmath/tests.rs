use super::*;
use ferrograph_simd::with_level;

/// Distance of `y` from `expected` in units of the last place of `expected` rounded to f32.
fn ulps(y: f32, expected: f64) -> f64 {
    let rounded = expected as f32;
    if rounded == y || (rounded.is_nan() && y.is_nan()) {
        return 0.0;
    }
    if !rounded.is_finite() || !y.is_finite() {
        // An infinity where the true value rounds to the largest number is one place off, anything else is wrong.
        let infinite = |value: f64| value.abs() >= f64::from(f32::MAX);
        return if infinite(expected) && infinite(f64::from(y)) && y.signum() == rounded.signum() { 1.0 } else { 1e30 };
    }
    let exponent = (rounded.to_bits() >> 23 & 0xff).max(1) as i32 - 150;
    (f64::from(y) - expected).abs() / 2f64.powi(exponent)
}

/// The error function from its series, or from the continued fraction of erfc; both converge to f64 accuracy here.
fn erf64(x: f64) -> f64 {
    let t = x.abs();
    let scale = std::f64::consts::FRAC_2_SQRT_PI * (-t * t).exp();
    let value = if t < 2.5 {
        let (mut term, mut sum) = (t, t);
        for n in 1..80 {
            term *= 2.0 * t * t / f64::from(2 * n + 1);
            sum += term;
        }
        scale * sum
    } else {
        let tail = (1..100).rev().fold(t, |fraction, n| t + f64::from(n) / 2.0 / fraction);
        1.0 - scale / 2.0 / tail
    };
    value.copysign(x)
}

type Case = (&'static str, fn(&[f32], &mut [f32]), fn(f64) -> f64, f64);

/// Name, function, reference, and the largest error allowed in ULP. The largest errors observed over the arguments below
/// at the levels scalar, avx2 and avx512 are 0.99, 1.40, 1.08, 1.41, 2.29, 2.22, 1.23, 1.45 and 1.44.
const CASES: [Case; 9] = [
    ("exp", exp, f64::exp, 2.0),
    ("expm1", expm1, f64::exp_m1, 3.0),
    ("log", log, f64::ln, 2.0),
    ("log1p", log1p, f64::ln_1p, 3.0),
    ("tanh", tanh, f64::tanh, 3.0),
    ("sigmoid", sigmoid, sigmoid64, 3.0),
    ("erf", erf, erf64, 3.0),
    ("sin", sin, f64::sin, 2.0),
    ("cos", cos, f64::cos, 2.0),
];

fn sigmoid64(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

#[test]
fn within_the_stated_error_over_all_floats() {
    // A prime step visits every binade, both signs, subnormal numbers, infinities and NaN.
    let x: Vec<f32> = (0..=u32::MAX).step_by(4099).map(f32::from_bits).collect();
    // And densely where the functions bend.
    let near = (-400_000..400_000).map(|i| i as f32 * 3.1e-4);
    let x: Vec<f32> = x.into_iter().chain(near).collect();
    for level in Level::available() {
        for (name, function, reference, bound) in CASES {
            let mut y = vec![0.0; x.len()];
            with_level(level, || function(&x, &mut y));
            let worst = x.iter().zip(&y).map(|(x, y)| (ulps(*y, reference(f64::from(*x))), *x));
            let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
            println!("{} {name}: {:.2} ULP at {:e}", level.name(), worst.0, worst.1);
            assert!(worst.0 <= bound, "{} {name}: {} ULP at {:e}", level.name(), worst.0, worst.1);
        }
    }
}

#[test]
fn special_arguments() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let x = [0.0, -0.0, inf, -inf, nan, -nan, -1.0, 1e-45, -1e-45, f32::MAX, f32::MIN, -2.0];
    let tiny = 1e-45;
    let e = std::f32::consts::E;
    let (s, c) = (0.841_471, 0.540_302_3);
    let expected: [[f32; 12]; 9] = [
        [1.0, 1.0, inf, 0.0, nan, nan, 1.0 / e, 1.0, 1.0, inf, 0.0, 1.0 / (e * e)],
        [0.0, -0.0, inf, -1.0, nan, nan, 1.0 / e - 1.0, tiny, -tiny, inf, -1.0, 1.0 / (e * e) - 1.0],
        [-inf, -inf, inf, nan, nan, nan, nan, -103.278_93, nan, 88.722_84, nan, nan],
        [0.0, -0.0, inf, nan, nan, nan, -inf, tiny, -tiny, 88.722_84, nan, nan],
        [0.0, -0.0, 1.0, -1.0, nan, nan, -0.761_594_2, tiny, -tiny, 1.0, -1.0, -0.964_027_6],
        [0.5, 0.5, 1.0, 0.0, nan, nan, 0.268_941_43, 0.5, 0.5, 1.0, 0.0, 0.119_202_92],
        [0.0, -0.0, 1.0, -1.0, nan, nan, -0.842_700_8, tiny, -tiny, 1.0, -1.0, -0.995_322_3],
        // Of the largest float: Python 3.11 `math.sin(3.4028234663852886e38)` and `math.cos` of the same.
        [0.0, -0.0, nan, nan, nan, nan, -s, tiny, -tiny, -0.521_876_5, 0.521_876_5, -0.909_297_4],
        [1.0, 1.0, nan, nan, nan, nan, c, 1.0, 1.0, 0.853_021, 0.853_021, -0.416_146_84],
    ];
    for level in Level::available() {
        for ((name, function, ..), expected) in CASES.into_iter().zip(expected) {
            let mut y = [0.0; 12];
            with_level(level, || function(&x, &mut y));
            for ((x, y), expected) in x.into_iter().zip(y).zip(expected) {
                let same = (y.is_nan() && expected.is_nan()) || {
                    let close = (y - expected).abs() <= 3e-7 * expected.abs();
                    (y == expected || close) && y.is_sign_negative() == expected.is_sign_negative()
                };
                assert!(same, "{} {name}({x:e}) = {y:e}, expected {expected:e}", level.name());
            }
        }
    }
}

#[test]
fn a_result_does_not_depend_on_its_position() {
    for level in Level::available() {
        for (name, function, ..) in CASES {
            let x: Vec<f32> = (0..70).map(|i| (i as f32 - 20.0) * 0.37).collect();
            for len in 0..x.len() {
                let (mut part, mut alone) = (vec![0.0; len], [0.0]);
                with_level(level, || function(&x[..len], &mut part));
                for (x, part) in x.iter().zip(&part) {
                    with_level(level, || function(&[*x], &mut alone));
                    assert_eq!(alone[0].to_bits(), part.to_bits(), "{name}({x})");
                }
            }
        }
    }
}
