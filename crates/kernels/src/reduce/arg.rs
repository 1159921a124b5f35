//! Where the largest or smallest element is.

use crate::parallel::for_each_chunk;

/// Work worth a task of its own, in elements.
const TASK: usize = 1 << 14;

/// For `x` of shape `[outer, extent, inner]` the index along `extent` of the largest element, `[outer, inner]`. The
/// first of equal ones; the first NaN, if there is one.
pub fn arg_max<T: PartialOrd + Copy + Sync>(x: &[T], extent: usize, inner: usize, y: &mut [i32]) {
    arg_best(x, extent, inner, y, |candidate, best| candidate > best);
}

/// As [`arg_max`] for the smallest element.
pub fn arg_min<T: PartialOrd + Copy + Sync>(x: &[T], extent: usize, inner: usize, y: &mut [i32]) {
    arg_best(x, extent, inner, y, |candidate, best| candidate < best);
}

fn arg_best<T: PartialOrd + Copy + Sync>(
    x: &[T],
    extent: usize,
    inner: usize,
    y: &mut [i32],
    better: impl Fn(T, T) -> bool + Sync,
) {
    assert_eq!(x.len(), y.len() * extent);
    if y.is_empty() {
        return;
    }
    // Only NaN is not equal to itself.
    let is_nan = |v: T| v.partial_cmp(&v).is_none();
    let chunk = (TASK / extent.max(1)).max(1);
    for_each_chunk(y, chunk, |index, y| {
        for (i, y) in y.iter_mut().enumerate() {
            let (outer, column) = ((index * chunk + i) / inner, (index * chunk + i) % inner);
            let elements = x[outer * extent * inner + column..].iter().step_by(inner).take(extent).enumerate();
            let mut best: Option<(usize, T)> = None;
            for (at, &candidate) in elements {
                match best {
                    Some((_, best)) if is_nan(best) => break,
                    Some((_, best)) if !better(candidate, best) && !is_nan(candidate) => {}
                    _ => best = Some((at, candidate)),
                }
            }
            *y = best.map_or(0, |(at, _)| at as i32);
        }
    });
}
