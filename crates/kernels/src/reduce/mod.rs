//! Reductions over any set of axes.
//!
//! The tree of every reduction depends on the shape alone, never on the threads: rows are folded in [`LANES`]
//! interleaved lanes that are merged pairwise, columns one row after another, and a long reduction to few elements in
//! parts of fixed length. float32 is summed and multiplied in f64, so a sum of a million elements is off by about one
//! rounding.

mod arg;
mod groups;
mod reducers;
mod scan;

pub use arg::{arg_max_f32, arg_max_i32, arg_min_f32, arg_min_i32};
pub use groups::Groups;
pub use reducers::{All, Any, MaxF32, MaxI32, MeanF32, MinF32, MinI32, ProdF32, ProdI32, Reducer, SumF32, SumI32};
pub use scan::{cumsum_f32, cumsum_i32};

use crate::parallel::for_each_chunk;
use ferrograph_simd::dispatch;
use reducers::Pack;
use std::ops::Range;

/// Accumulators that one row is folded into: enough to hide the latency of an addition.
const LANES: usize = 32;
/// The same for a short row.
const FEW_LANES: usize = 8;
/// Columns that are folded at a time; their accumulators stay in registers or close by.
const COLUMNS: usize = 64;
/// Elements that are worth a task of their own.
const TASK: usize = 1 << 15;
/// The most parts that one reduction is cut into.
const MAX_PARTS: usize = 32;
/// More columns than this are cut among threads rather than the rows.
const MANY_COLUMNS: usize = 2048;

/// float32 elements of scratch that [`reduce`] needs.
pub fn scratch_len(groups: &Groups) -> usize {
    match parts(groups) {
        1 => 0,
        parts => parts * groups.inner * 2,
    }
}

/// How many parts the reduced axis is cut into: more than one where few elements come of many.
fn parts(groups: &Groups) -> usize {
    let [run, inner] = [groups.run, groups.inner];
    if groups.len() != inner || groups.outer_reduced() != 1 || inner > MANY_COLUMNS || groups.is_empty() {
        return 1;
    }
    (run * inner / TASK).clamp(1, MAX_PARTS).min(run)
}

/// Reduces `x`, laid out as `groups` says, to `y`. `scratch` has [`scratch_len`] elements.
pub fn reduce<R: Reducer>(reducer: R, x: &[R::Element], groups: &Groups, y: &mut [R::Element], scratch: &mut [f32]) {
    assert_eq!((x.len(), y.len()), (groups.source_len(), groups.len()));
    if groups.is_empty() {
        y.fill(reducer.finish(R::IDENTITY));
        return;
    }
    let parts = parts(groups);
    if parts == 1 {
        // A task is a whole number of rows of columns where that is possible.
        let each = TASK / (groups.run * groups.outer_reduced()).max(1);
        let chunk =
            if each > groups.inner { each / groups.inner * groups.inner } else { each.next_multiple_of(COLUMNS) };
        for_each_chunk(y, chunk.max(1), |index, y| {
            fold(reducer, x, groups, index * chunk.max(1), y.len(), 0..groups.run, |i, a| y[i] = reducer.finish(a));
        });
        return;
    }
    let scratch = &mut scratch[..parts * groups.inner * 2];
    for_each_chunk(scratch, groups.inner * 2, |part, partial| {
        let cut = |part: usize| part * groups.run / parts;
        fold(reducer, x, groups, 0, groups.inner, cut(part)..cut(part + 1), |i, a| {
            [partial[2 * i], partial[2 * i + 1]] = a.pack();
        });
    });
    for (i, y) in y.iter_mut().enumerate() {
        let partials =
            scratch.chunks(groups.inner * 2).map(|partial| Pack::unpack([partial[2 * i], partial[2 * i + 1]]));
        *y = reducer.finish(partials.fold(R::IDENTITY, R::merge));
    }
}

dispatch! {
    /// Folds the elements of `x` that belong to results `start..start + len`, taking of the innermost reduced axis only
    /// `run`, and gives each accumulator to `emit` with its place from `start`.
    fn fold[R: Reducer, F: FnMut(usize, R::Accumulator)](
        reducer: R,
        x: &[R::Element],
        groups: &Groups,
        start: usize,
        len: usize,
        run: Range<usize>,
        emit: F,
    ) {
        let _ = reducer;
        let mut emit = emit;
        if groups.inner == 1 {
            for i in 0..len {
                let base = groups.kept_offset(start + i) + run.start;
                let rows = (0..groups.outer_reduced()).map(|r| base + groups.reduced_offset(r));
                let row = |from: usize| fold_row::<R>(&x[from..from + run.len()]);
                emit(i, rows.map(row).fold(R::IDENTITY, |a, b| R::merge(a, b)));
            }
            return;
        }
        let mut done = 0;
        while done < len {
            let (outer, column) = ((start + done) / groups.inner, (start + done) % groups.inner);
            let width = COLUMNS.min(groups.inner - column).min(len - done);
            let mut lanes = [R::IDENTITY; COLUMNS];
            let base = groups.kept_offset(outer) + column;
            for r in 0..groups.outer_reduced() {
                let first = base + groups.reduced_offset(r);
                for row in run.clone() {
                    let from = first + row * groups.inner;
                    fold_columns::<R>(&mut lanes, &x[from..from + width]);
                }
            }
            for (i, lane) in lanes[..width].iter().enumerate() {
                emit(done + i, *lane);
            }
            done += width;
        }
    }
}

#[inline(always)]
fn fold_columns<R: Reducer>(lanes: &mut [R::Accumulator; COLUMNS], row: &[R::Element]) {
    // The usual width is known while compiling, so that the lanes stay in registers.
    if let Ok(row) = <&[R::Element; COLUMNS]>::try_from(row) {
        for (lane, x) in lanes.iter_mut().zip(row) {
            *lane = R::step(*lane, *x);
        }
    } else {
        for (lane, x) in lanes.iter_mut().zip(row) {
            *lane = R::step(*lane, *x);
        }
    }
}

#[inline(always)]
fn fold_row<R: Reducer>(row: &[R::Element]) -> R::Accumulator {
    match row.len() {
        LANES.. => fold_lanes::<R, LANES>(row),
        FEW_LANES..LANES => fold_lanes::<R, FEW_LANES>(row),
        _ => row.iter().fold(R::IDENTITY, |a, x| R::step(a, *x)),
    }
}

#[inline(always)]
fn fold_lanes<R: Reducer, const N: usize>(row: &[R::Element]) -> R::Accumulator {
    let mut lanes = [R::IDENTITY; N];
    let (blocks, rest) = row.as_chunks::<N>();
    for block in blocks {
        for i in 0..N {
            lanes[i] = R::step(lanes[i], block[i]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = R::step(*lane, *x);
    }
    let mut width = N / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = R::merge(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests;
