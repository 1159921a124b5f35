//! Batch normalization: statistics of each channel over all other axes, and what is made of them.
//!
//! Sums are taken over chunks whose size depends on the shape alone, in float32 around the chunk's own mean, and joined in
//! float64 in the order of the chunks. So they are accurate for data far from zero, and the same for any number of threads.

// Wrong lengths are a wrong plan, as the crate's documentation says of every function.
#![allow(clippy::missing_panics_doc)]

#[cfg(test)]
mod tests;

use crate::parallel::{Finished, for_each_chunk};
use ferrograph_simd::dispatch;
use std::ops::Range;

/// A tensor as `[outer, channels, inner]`; with channels last, `inner` is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelShape {
    /// Product of the extents before the axis of the channels.
    pub outer: usize,
    /// Channels.
    pub channels: usize,
    /// Product of the extents after it.
    pub inner: usize,
}

/// What the channels of a tensor are normalized and scaled with; `[channels]` each.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// Scale.
    pub gamma: &'a [f32],
    /// Subtracted first.
    pub mean: &'a [f32],
    /// Divided by, after `epsilon` is added and the square root taken.
    pub variance: &'a [f32],
    /// Keeps the divisor from zero.
    pub epsilon: f64,
}

/// What [`gradient`] writes.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Of `x`.
    pub dx: &'a mut [f32],
    /// `[channels]`
    pub dgamma: &'a mut [f32],
    /// `[channels]`
    pub dbeta: &'a mut [f32],
}

/// Elements of a chunk of sums: it is read twice, so it stays in the second-level cache.
const SUM_ELEMENTS: usize = 1 << 14;

/// Elements of a chunk that is only mapped: some 10 us, enough to be worth handing to another thread.
const MAP_ELEMENTS: usize = 1 << 15;

/// Elements that are mapped before they are handed on as final: 32 KiB stay in the first-level cache.
const FINISHED_ELEMENTS: usize = 1 << 13;

/// Least number of sums that run side by side, so that few channels fill vectors too.
const LANES: usize = 32;

/// Channels whose sums are joined at once.
const BLOCK: usize = 64;

impl ChannelShape {
    /// Elements of the tensor.
    pub fn len(&self) -> usize {
        self.outer * self.channels * self.inner
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements of each channel.
    pub fn count(&self) -> usize {
        self.outer * self.inner
    }

    /// Elements of scratch memory that [`statistics`] and [`gradient`] need.
    pub fn scratch_len(&self) -> usize {
        self.sums_len().saturating_add(self.table_len())
    }

    /// Elements of scratch memory that [`normalize`] needs.
    pub fn table_len(&self) -> usize {
        if self.is_empty() { 0 } else { self.table_lanes() * 4 }
    }

    fn sums_len(&self) -> usize {
        if self.is_empty() { 0 } else { self.len() / self.run() * self.chunks_per_run() * self.lanes() * 3 }
    }

    /// How many sums run side by side. With channels last they belong to the channels in turn, each as many times as it
    /// takes to fill vectors; otherwise all to one channel.
    fn lanes(&self) -> usize {
        if self.inner == 1 { self.table_lanes() } else { LANES.min(self.inner) }
    }

    fn table_lanes(&self) -> usize {
        if self.inner == 1 { self.channels * (LANES / self.channels).max(1) } else { self.channels }
    }

    /// Consecutive elements that one set of lanes may sum: all with channels last, otherwise those of one channel.
    fn run(&self) -> usize {
        if self.inner == 1 { self.len() } else { self.inner }
    }

    /// Elements summed before sums are joined. At least 16 for each lane, so that joining stays the smaller part.
    fn chunk(&self) -> usize {
        (SUM_ELEMENTS / self.lanes()).max(16) * self.lanes()
    }

    fn chunks_per_run(&self) -> usize {
        self.run().div_ceil(self.chunk())
    }

    /// The elements that chunk `index` sums.
    fn chunk_range(&self, index: usize) -> Range<usize> {
        let (run, part) = (index / self.chunks_per_run(), index % self.chunks_per_run());
        let start = run * self.run();
        start + part * self.chunk()..start + self.run().min((part + 1) * self.chunk())
    }

    /// The channel that lane `lane` of chunk `index` sums.
    fn channel(&self, index: usize, lane: usize) -> usize {
        if self.inner == 1 { lane % self.channels } else { index / self.chunks_per_run() % self.channels }
    }

    /// How many channels [`Self::visit`] takes at once.
    fn block(&self) -> usize {
        if self.inner == 1 { BLOCK } else { 1 }
    }

    /// Calls `f(count, sums)` for all sums of the channels from `first` on, in a fixed order: `sums` are the three sums of
    /// `count` elements of each of the channels.
    fn visit(&self, sums: &[f32], first: usize, channels: usize, mut f: impl FnMut(f64, [&[f32]; 3])) {
        let lanes = self.lanes();
        let mut part = |index: usize, lane: usize| {
            // With channels last, chunks hold whole rows, so neighbouring channels have summed equally many.
            let length = self.chunk_range(index).len();
            if lane < length {
                let sums = &sums[index * 3 * lanes..][..3 * lanes];
                let count = (length - lane).div_ceil(lanes) as f64;
                f(count, [0, 1, 2].map(|kind| &sums[kind * lanes + lane..][..channels]));
            }
        };
        if self.inner == 1 {
            for index in 0..self.chunks_per_run() {
                (first..lanes).step_by(self.channels).for_each(|lane| part(index, lane));
            }
        } else {
            for run in (first..self.outer * self.channels).step_by(self.channels) {
                for index in run * self.chunks_per_run()..(run + 1) * self.chunks_per_run() {
                    (0..lanes).for_each(|lane| part(index, lane));
                }
            }
        }
    }
}

impl Parameters<'_> {
    /// `1 / sqrt(variance + epsilon)`
    fn factor(&self, channel: usize) -> f64 {
        1.0 / (f64::from(self.variance[channel]) + self.epsilon).sqrt()
    }
}

/// Mean and biased variance of each channel, `[channels]` each; both 0 where there is nothing to average.
pub fn statistics(shape: &ChannelShape, x: &[f32], mean: &mut [f32], variance: &mut [f32], scratch: &mut [f32]) {
    assert_eq!((x.len(), mean.len(), variance.len()), (shape.len(), shape.channels, shape.channels));
    mean.fill(0.0);
    variance.fill(0.0);
    if shape.is_empty() {
        return;
    }
    let lanes = shape.lanes();
    let sums = &mut scratch[..shape.sums_len()];
    for_each_chunk(sums, 3 * lanes, |index, sums| moments(&x[shape.chunk_range(index)], lanes, sums));

    let (sums, count) = (&*sums, shape.count() as f64);
    let blocks = mean.chunks_mut(shape.block()).zip(variance.chunks_mut(shape.block()));
    for (block, (mean, variance)) in blocks.enumerate() {
        let (first, channels) = (block * shape.block(), mean.len());
        let (mut total, mut squared) = ([0.0; BLOCK], [0.0; BLOCK]);
        shape.visit(sums, first, channels, |count, [around, sum, _]| {
            for ((total, around), sum) in total.iter_mut().zip(around).zip(sum) {
                *total += f64::from(*around) * count + f64::from(*sum);
            }
        });
        let means = total.map(|total| total / count);
        shape.visit(sums, first, channels, |count, [around, sum, squares]| {
            let parts = around.iter().zip(sum).zip(squares);
            for ((squared, mean), ((around, sum), squares)) in squared.iter_mut().zip(means).zip(parts) {
                let off = f64::from(*sum) / count;
                let apart = f64::from(*around) + off - mean;
                *squared += f64::from(*squares) + count * (apart * apart - off * off);
            }
        });
        mean.iter_mut().zip(means).for_each(|(mean, exact)| *mean = exact as f32);
        variance.iter_mut().zip(squared).for_each(|(variance, squared)| *variance = (squared / count) as f32);
    }
}

/// `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`; `finished` gets the parts of `y` when they are final.
pub fn normalize(
    shape: &ChannelShape,
    x: &[f32],
    parameters: Parameters<'_>,
    beta: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
    finished: Option<Finished<'_>>,
) {
    assert_eq!((x.len(), y.len(), beta.len()), (shape.len(), shape.len(), shape.channels));
    let coefficients = |channel: usize| {
        let scale = f64::from(parameters.gamma[channel]) * parameters.factor(channel);
        [parameters.mean[channel], scale as f32, beta[channel], 0.0]
    };
    let f = |x, _, [mean, scale, beta, _]: [f32; 4]| (x - mean) * scale + beta;
    map(shape, [x, x], y, scratch, coefficients, f, finished);
}

/// The gradients of [`normalize`] with the statistics of `x` itself, from the gradient `dy` of `y`.
///
/// With `z = (x - mean) / sqrt(variance + epsilon)` and sums over the `n` elements of a channel: `dbeta = sum dy`,
/// `dgamma = sum dy z`, `dx = gamma / sqrt(variance + epsilon) * (dy - dbeta / n - z dgamma / n)`.
pub fn gradient(
    shape: &ChannelShape,
    x: &[f32],
    parameters: Parameters<'_>,
    dy: &[f32],
    gradients: Gradients<'_>,
    scratch: &mut [f32],
) {
    let Gradients { dx, dgamma, dbeta } = gradients;
    assert_eq!((x.len(), dy.len(), dx.len()), (shape.len(), shape.len(), shape.len()));
    assert_eq!((dgamma.len(), dbeta.len()), (shape.channels, shape.channels));
    dgamma.fill(0.0);
    dbeta.fill(0.0);
    if shape.is_empty() {
        return;
    }
    let lanes = shape.lanes();
    let (sums, scratch) = scratch.split_at_mut(shape.sums_len());
    for_each_chunk(sums, 3 * lanes, |index, sums| {
        let (mean, sums) = sums.split_at_mut(lanes);
        mean.iter_mut().enumerate().for_each(|(lane, mean)| *mean = parameters.mean[shape.channel(index, lane)]);
        let range = shape.chunk_range(index);
        products(&x[range.clone()], &dy[range], mean, sums);
    });
    for (block, (dgamma, dbeta)) in dgamma.chunks_mut(shape.block()).zip(dbeta.chunks_mut(shape.block())).enumerate() {
        let (first, channels) = (block * shape.block(), dgamma.len());
        let mut total = [[0.0; 2]; BLOCK];
        shape.visit(sums, first, channels, |_, [_, sum, product]| {
            for ((total, sum), product) in total.iter_mut().zip(sum).zip(product) {
                total[0] += f64::from(*sum);
                total[1] += f64::from(*product);
            }
        });
        for (channel, ((dgamma, dbeta), [sum, product])) in dgamma.iter_mut().zip(dbeta).zip(total).enumerate() {
            *dbeta = sum as f32;
            *dgamma = (product * parameters.factor(first + channel)) as f32;
        }
    }
    let count = shape.count() as f64;
    let coefficients = |channel: usize| {
        let factor = parameters.factor(channel);
        let mean_dy = f64::from(dbeta[channel]) / count;
        let slope = f64::from(dgamma[channel]) * factor / count;
        let scale = f64::from(parameters.gamma[channel]) * factor;
        [parameters.mean[channel], slope as f32, mean_dy as f32, scale as f32]
    };
    let f = |x, dy, [mean, slope, mean_dy, scale]: [f32; 4]| (dy - mean_dy - (x - mean) * slope) * scale;
    map(shape, [x, dy], dx, scratch, coefficients, f, None);
}

/// `y = f(a, b, coefficients of the element's channel)`
fn map(
    shape: &ChannelShape,
    [a, b]: [&[f32]; 2],
    y: &mut [f32],
    scratch: &mut [f32],
    coefficients: impl Fn(usize) -> [f32; 4],
    f: impl Fn(f32, f32, [f32; 4]) -> f32 + Copy + Sync,
    finished: Option<Finished<'_>>,
) {
    if shape.is_empty() {
        return;
    }
    let lanes = shape.table_lanes();
    let table = &mut scratch[..shape.table_len()];
    for lane in 0..lanes {
        for (kind, value) in coefficients(lane % shape.channels).into_iter().enumerate() {
            table[kind * lanes + lane] = value;
        }
    }
    let table = &*table;
    let finish = |start: usize, part: &mut [f32]| {
        if let Some(finished) = finished {
            finished(start, part);
        }
    };
    let rows = |elements: usize, row: usize| (elements / row).max(1) * row;
    if shape.inner == 1 {
        let (length, piece) = (rows(MAP_ELEMENTS, lanes), rows(FINISHED_ELEMENTS, lanes));
        for_each_chunk(y, length, |chunk, y| {
            for (index, y) in y.chunks_mut(piece).enumerate() {
                let start = chunk * length + index * piece;
                let range = start..start + y.len();
                map_lanes(&a[range.clone()], &b[range], table, y, f);
                finish(start, y);
            }
        });
    } else {
        let runs = (MAP_ELEMENTS / shape.inner).max(1);
        for_each_chunk(y, runs * shape.inner, |chunk, y| {
            for (run, y) in y.chunks_exact_mut(shape.inner).enumerate() {
                let run = chunk * runs + run;
                let start = run * shape.inner;
                let range = start..start + shape.inner;
                let channel = [0, 1, 2, 3].map(|kind| table[kind * lanes + run % shape.channels]);
                map_run(&a[range.clone()], &b[range], channel, y, f);
                finish(start, y);
            }
        });
    }
}

dispatch! {
    /// For each lane: a first mean, and the sums of `x` less that mean and of its square.
    fn moments(x: &[f32], lanes: usize, sums: &mut [f32]) {
        let (around, sums) = sums.split_at_mut(lanes);
        let (sum, squares) = sums.split_at_mut(lanes);
        around.fill(0.0);
        sum.fill(0.0);
        squares.fill(0.0);
        for x in x.chunks(lanes) {
            for (around, &x) in around.iter_mut().zip(x) {
                *around += x;
            }
        }
        for (lane, around) in around.iter_mut().enumerate() {
            // A lane past the end of a short chunk has summed nothing.
            let count = x.len().saturating_sub(lane).div_ceil(lanes).max(1);
            *around /= count as f32;
        }
        for x in x.chunks(lanes) {
            for (((around, sum), squares), &x) in around.iter().zip(&mut *sum).zip(&mut *squares).zip(x) {
                let apart = x - *around;
                *sum += apart;
                *squares += apart * apart;
            }
        }
    }

    /// For each lane: the sum of `dy`, and that of `dy (x - mean)`.
    fn products(x: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        let (sum, product) = sums.split_at_mut(mean.len());
        sum.fill(0.0);
        product.fill(0.0);
        for (x, dy) in x.chunks(mean.len()).zip(dy.chunks(mean.len())) {
            for ((((sum, product), mean), &x), &dy) in sum.iter_mut().zip(&mut *product).zip(mean).zip(x).zip(dy) {
                *sum += dy;
                *product += dy * (x - mean);
            }
        }
    }

    fn map_lanes[F: Fn(f32, f32, [f32; 4]) -> f32](a: &[f32], b: &[f32], table: &[f32], y: &mut [f32], f: F) {
        let lanes = table.len() / 4;
        let [c0, c1, c2, c3] = [0, 1, 2, 3].map(|kind| &table[kind * lanes..][..lanes]);
        for ((y, a), b) in y.chunks_mut(lanes).zip(a.chunks(lanes)).zip(b.chunks(lanes)) {
            let coefficients = c0.iter().zip(c1).zip(c2).zip(c3);
            for (((y, &a), &b), (((c0, c1), c2), c3)) in y.iter_mut().zip(a).zip(b).zip(coefficients) {
                *y = f(a, b, [*c0, *c1, *c2, *c3]);
            }
        }
    }

    fn map_run[F: Fn(f32, f32, [f32; 4]) -> f32](a: &[f32], b: &[f32], coefficients: [f32; 4], y: &mut [f32], f: F) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = f(a, b, coefficients);
        }
    }
}
