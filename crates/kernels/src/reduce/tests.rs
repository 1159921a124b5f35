use super::*;

/// The plain reduction: every element is added to the result it belongs to.
fn naive(x: &[f32], shape: &[usize], reduced: &[bool]) -> Vec<f64> {
    let kept: Vec<usize> = shape.iter().zip(reduced).map(|(&n, &r)| if r { 1 } else { n }).collect();
    let mut y = vec![0.0; kept.iter().product()];
    for (i, x) in x.iter().enumerate() {
        let (mut rest, mut to, mut stride) = (i, 0, 1);
        for axis in (0..shape.len()).rev() {
            to += rest % shape[axis] % kept[axis] * stride;
            rest /= shape[axis];
            stride *= kept[axis];
        }
        y[to] += f64::from(*x);
    }
    y
}

fn check(shape: &[usize], reduced: &[bool]) {
    let n = shape.iter().product();
    let x: Vec<f32> = (0..n).map(|i: usize| (i * 7919 % 1013) as f32 / 100.0 - 5.0).collect();
    let groups = Groups::new(shape, reduced);
    let mut y = vec![f32::NAN; groups.len()];
    let mut scratch = vec![f32::NAN; scratch_len(&groups)];
    reduce(SumF32, &x, &groups, &mut y, &mut scratch);
    for (y, wanted) in y.iter().zip(naive(&x, shape, reduced)) {
        assert!((f64::from(*y) - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "{shape:?} {reduced:?}: {y} {wanted}");
    }
}

#[test]
fn any_axes_of_any_shape() {
    for shape in [[3, 4, 5, 2], [1, 7, 1, 65], [2, 33, 70, 1], [5, 1, 3, 130]] {
        for mask in 0..16 {
            check(&shape, &[0, 1, 2, 3].map(|axis| mask >> axis & 1 == 1));
        }
    }
}

#[test]
fn long_reductions_in_parts() {
    check(&[100_003], &[true]);
    check(&[10_007, 13], &[true, false]);
    check(&[70, 3000], &[true, false]);
    check(&[3000, 70], &[false, true]);
    assert!(scratch_len(&Groups::new(&[10_007, 13], &[true, false])) > 0);
}

#[test]
fn nan_wins_and_infinities_count() {
    let groups = Groups::new(&[40], &[true]);
    let mut x = [f32::NEG_INFINITY; 40];
    let (mut y, scratch) = ([0.0], &mut [][..]);
    reduce(MaxF32, &x, &groups, &mut y, scratch);
    assert_eq!(y, [f32::NEG_INFINITY]);
    for place in [0, 5, 31, 32, 39] {
        x[place] = f32::NAN;
        reduce(MaxF32, &x, &groups, &mut y, scratch);
        assert!(y[0].is_nan());
        reduce(MinF32, &x, &groups, &mut y, scratch);
        assert!(y[0].is_nan());
        x[place] = 1.0;
    }
}

#[test]
fn sums_do_not_drift() {
    // In float32 one after the other this would stop at 2^24.
    let x = vec![1.0f32; (1 << 24) + 1000];
    let groups = Groups::new(&[x.len()], &[true]);
    let mut y = [0.0];
    reduce(MeanF32 { count: x.len() }, &x, &groups, &mut y, &mut vec![0.0; scratch_len(&groups)]);
    assert_eq!(y, [1.0]);
}

#[test]
fn folds_of_nothing() {
    let groups = Groups::new(&[2, 0], &[false, true]);
    let mut y = [9.0; 2];
    reduce(SumF32, &[], &groups, &mut y, &mut []);
    assert_eq!(y, [0.0; 2]);
    reduce(MeanF32 { count: 0 }, &[], &groups, &mut y, &mut []);
    assert!(y.iter().all(|y| y.is_nan()));
    reduce(ProdF32, &[], &groups, &mut y, &mut []);
    assert_eq!(y, [1.0; 2]);
}

#[test]
fn integers_wrap_and_pack() {
    let groups = Groups::new(&[100_000], &[true]);
    let mut scratch = vec![0.0; scratch_len(&groups)];
    assert!(!scratch.is_empty());
    let mut y = [0];
    reduce(SumI32, &vec![i32::MAX; 100_000], &groups, &mut y, &mut scratch);
    assert_eq!(y, [i32::MAX.wrapping_mul(100_000)]);
    reduce(MinI32, &vec![-7; 100_000], &groups, &mut y, &mut scratch);
    assert_eq!(y, [-7]);
    let mut y = [0];
    reduce(All, &vec![1; 100_000], &groups, &mut y, &mut scratch);
    assert_eq!(y, [1]);
}

#[test]
fn arg_takes_the_first_and_nan() {
    let mut y = [0; 2];
    arg_max_f32(&[1.0, 3.0, 3.0, f32::NAN, 9.0, f32::NAN], 3, 1, &mut y);
    assert_eq!(y, [1, 0]);
    arg_min_f32(&[1.0, 9.0, f32::NAN, 0.5, f32::NAN, 0.5], 3, 2, &mut y);
    assert_eq!(y, [1, 1]);
    arg_min_i32(&[1, 3, 0, 0, 2, -1], 3, 2, &mut y);
    assert_eq!(y, [1, 2]);
    arg_max_i32(&[i32::MIN; 4], 2, 2, &mut y);
    assert_eq!(y, [0, 0]);
    let x: Vec<f32> = (0..1000).map(|i| (i * 7919 % 1013) as f32).collect();
    let best = (0..1000).max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap();
    let mut y = [0];
    arg_max_f32(&x, 1000, 1, &mut y);
    assert_eq!(y, [best as i32]);
}

#[test]
fn running_sums() {
    let mut y = [0.0; 6];
    cumsum_f32(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 2, &mut y);
    assert_eq!(y, [1.0, 2.0, 4.0, 6.0, 9.0, 12.0]);
}
