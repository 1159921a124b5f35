//! Where the largest or smallest element is.

use super::reducers::{MaxF32, MaxI32, MinF32, MinI32, Pack, Reducer};
use super::{COLUMNS, fold_row};
use crate::parallel::for_each_chunk;
use ferrograph_simd::dispatch;

/// Work worth a task of its own, in elements.
const TASK: usize = 1 << 14;

/// For `x` of shape `[outer, extent, inner]` the index along `extent` of the largest element, `[outer, inner]`. The
/// first of equal ones; the first NaN, if there is one.
pub fn arg_max_f32(x: &[f32], extent: usize, inner: usize, y: &mut [i32]) {
    arg_best(MaxF32, x, extent, inner, y);
}

/// As [`arg_max_f32`].
pub fn arg_max_i32(x: &[i32], extent: usize, inner: usize, y: &mut [i32]) {
    arg_best(MaxI32, x, extent, inner, y);
}

/// As [`arg_max_f32`] for the smallest element.
pub fn arg_min_f32(x: &[f32], extent: usize, inner: usize, y: &mut [i32]) {
    arg_best(MinF32, x, extent, inner, y);
}

/// As [`arg_min_f32`].
pub fn arg_min_i32(x: &[i32], extent: usize, inner: usize, y: &mut [i32]) {
    arg_best(MinI32, x, extent, inner, y);
}

/// `choice` is a fold that keeps one of the elements.
fn arg_best<T: PartialEq + Pack, R: Reducer<Element = T, Accumulator = T>>(
    choice: R,
    x: &[T],
    extent: usize,
    inner: usize,
    y: &mut [i32],
) {
    assert_eq!(x.len(), y.len() * extent);
    if y.is_empty() || extent == 0 {
        y.fill(0);
        return;
    }
    let chunk = (TASK / extent).max(1);
    for_each_chunk(y, chunk, |index, y| {
        if inner == 1 {
            rows(choice, &x[index * chunk * extent..][..y.len() * extent], extent, y);
        } else {
            columns(choice, x, extent, inner, index * chunk, y);
        }
    });
}

dispatch! {
    fn rows[T: PartialEq + Pack, R: Reducer<Element = T, Accumulator = T>](choice: R, x: &[T], extent: usize, y: &mut [i32]) {
        let _ = choice;
        for (row, y) in x.chunks_exact(extent).zip(y) {
            let best = fold_row::<R>(row);
            // Only NaN is not equal to itself, and then the best is NaN, too.
            let is_best = |v: &T| *v == best || !is_itself(*v);
            *y = row.iter().position(is_best).unwrap_or(0) as i32;
        }
    }

    /// Results `start..start + y.len()`, some columns at a time.
    fn columns[T: PartialEq + Pack, R: Reducer<Element = T, Accumulator = T>](
        choice: R,
        x: &[T],
        extent: usize,
        inner: usize,
        start: usize,
        y: &mut [i32],
    ) {
        let _ = choice;
        let mut done = 0;
        while done < y.len() {
            let (outer, column) = ((start + done) / inner, (start + done) % inner);
            let width = COLUMNS.min(inner - column).min(y.len() - done);
            let mut best = [R::IDENTITY; COLUMNS];
            let mut places = [0; COLUMNS];
            let first = outer * extent * inner + column;
            best[..width].copy_from_slice(&x[first..first + width]);
            for place in 1..extent {
                let row = &x[first + place * inner..][..width];
                for ((best, at), x) in best.iter_mut().zip(&mut places).zip(row) {
                    let next = R::step(*best, *x);
                    *at = if next != *best && is_itself(*best) { place as i32 } else { *at };
                    *best = next;
                }
            }
            y[done..done + width].copy_from_slice(&places[..width]);
            done += width;
        }
    }
}

/// Whether a value is no NaN.
#[inline(always)]
#[allow(clippy::eq_op)] // which is just what tells
fn is_itself<T: PartialEq + Copy>(v: T) -> bool {
    v == v
}
