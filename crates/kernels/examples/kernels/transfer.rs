//! What caches and memory give at most.

use crate::report::Floats;
use ferrograph_kernels::parallel::for_each_chunk;
use ferrograph_kernels::pool;
use ferrograph_simd::{Kernel, Level, Simd};
use std::hint::black_box;
use std::ops::Range;

/// Parts of a transfer for each of several threads: one that comes late leaves some to the others.
const PARTS: usize = 2;

/// Reads all operands once and writes the result once, shared by the threads of the pool, and computes nothing: the least
/// that a kernel does with its operands wherever they lie. The result is written while the first operand is read.
pub fn transfer(operands: &[&Floats], result: &mut [f32]) {
    let threads = pool::threads();
    let parts = if threads == 1 { 1 } else { PARTS * threads };
    let len = result.len().div_ceil(parts).max(1);
    let parts = result.len().div_ceil(len);
    let level = Level::current();
    for_each_chunk(result, len, |part, mut result| {
        for operand in operands {
            let operand = operand.get();
            let range: Range<usize> = operand.len() * part / parts..operand.len() * (part + 1) / parts;
            level.run(Stream { from: &operand[range], to: std::mem::take(&mut result) });
        }
    });
}

/// Vectors that are read, and others that are written evenly between them. What is left of a vector is not moved.
struct Stream<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Stream<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Stream { from, to } = self;
        let (reads, writes) = (from.len() / S::N, to.len() / S::N);
        let (mut seen, mut rest) = ([simd.zero(); 4], from);
        if writes > 0 && reads >= writes {
            let each = reads / writes * S::N;
            for (from, to) in from.chunks_exact(each).zip(to.chunks_exact_mut(S::N)) {
                read(simd, from, &mut seen);
                simd.store(to, seen[0]);
            }
            rest = &from[writes * each..];
        } else if reads > 0 && writes > 0 {
            let each = writes / reads * S::N;
            for (from, to) in from.chunks_exact(S::N).zip(to.chunks_mut(each)) {
                seen[0] = simd.load(from);
                for to in to.chunks_exact_mut(S::N) {
                    simd.store(to, seen[0]);
                }
            }
            rest = &[];
        }
        read(simd, rest, &mut seen);
        black_box(simd.reduce_max(simd.max(simd.max(seen[0], seen[1]), simd.max(seen[2], seen[3]))));
    }
}

/// Reads whole vectors. The maxima do not wait for each other.
#[inline(always)]
fn read<S: Simd>(simd: S, from: &[f32], seen: &mut [S::V; 4]) {
    let mut fours = from.chunks_exact(4 * S::N);
    for from in &mut fours {
        for (seen, from) in seen.iter_mut().zip(from.chunks_exact(S::N)) {
            *seen = simd.max(*seen, simd.load(from));
        }
    }
    for from in fours.remainder().chunks_exact(S::N) {
        seen[0] = simd.load(from);
    }
}
