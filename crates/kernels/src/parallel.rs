//! Disjoint mutable chunks of slices over the pool.
//!
//! Contains `unsafe`: chunks of a slice are handed to different threads.

use crate::pool::{self, Claims, parallel_for};
use std::slice::from_raw_parts_mut;

/// A pointer that chunks of a loop may share because they write disjoint parts through it.
#[derive(Debug)]
pub(crate) struct SharedMut<T>(*mut T);

impl<T> Clone for SharedMut<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for SharedMut<T> {}
// SAFETY: the pointer itself is inert; every use of it states why the access is exclusive.
unsafe impl<T: Send> Send for SharedMut<T> {}
// SAFETY: as for Send.
unsafe impl<T: Send> Sync for SharedMut<T> {}

impl<T> SharedMut<T> {
    pub(crate) fn new(data: &mut [T]) -> Self {
        SharedMut(data.as_mut_ptr())
    }
    pub(crate) fn from_ptr(data: *mut T) -> Self {
        SharedMut(data)
    }
    pub(crate) fn get(self) -> *mut T {
        self.0
    }
    /// The elements from `start` on.
    ///
    /// # Safety
    /// They lie within the slice the pointer was made of, the slice is not used otherwise while the result lives, and
    /// no other part handed out overlaps them.
    pub(crate) unsafe fn part<'a>(self, start: usize, len: usize) -> &'a mut [T] {
        // SAFETY: the caller's promise.
        unsafe { from_raw_parts_mut(self.0.add(start), len) }
    }
}

/// Called for parts of a result when they are final, with the index of their first element; any part comes once, from any
/// thread.
pub type Finished<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Elements of a finished part where a kernel has not cut its result into parts: some microseconds of work.
const FINISHED: usize = 16 * 1024;

/// Calls `finished` for a whole result, in parts of whole rows.
pub fn finish(result: &mut [f32], row_len: usize, finished: Finished<'_>) {
    let len = FINISHED.div_ceil(row_len.max(1)) * row_len.max(1);
    for_each_chunk(result, len, |index, part| finished(index * len, part));
}

/// Calls `f(index, chunk)` for every `chunk_len` elements of `out` (the last chunk may be shorter), over the pool.
///
/// Panics if `chunk_len` is 0 and `out` is not empty.
pub fn for_each_chunk<T: Send>(out: &mut [T], chunk_len: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let len = out.len();
    if len == 0 {
        return;
    }
    let shared = SharedMut::new(out);
    parallel_for(len.div_ceil(chunk_len), &|index| {
        let start = index * chunk_len;
        // SAFETY: chunks of different indices do not overlap and end within `out`, which is borrowed meanwhile.
        f(index, unsafe { shared.part(start, chunk_len.min(len - start)) });
    });
}

/// As [`for_each_chunk`] with a chunk of a second output at the same index.
///
/// Panics unless both outputs are cut into the same number of chunks.
pub fn for_each_chunk2<T: Send, U: Send>(
    first: &mut [T],
    first_chunk_len: usize,
    second: &mut [U],
    second_chunk_len: usize,
    f: impl Fn(usize, &mut [T], &mut [U]) + Sync,
) {
    let (first_total, second_total) = (first.len(), second.len());
    let count = |len: usize, chunk_len: usize| if len == 0 { 0 } else { len.div_ceil(chunk_len) };
    let chunks = count(first_total, first_chunk_len);
    assert_eq!(chunks, count(second_total, second_chunk_len), "both outputs have the same number of chunks");
    let (first, second) = (SharedMut::new(first), SharedMut::new(second));
    parallel_for(chunks, &|index| {
        let (a, b) = (index * first_chunk_len, index * second_chunk_len);
        // SAFETY: chunks of different indices do not overlap and end within the outputs, which are borrowed meanwhile.
        let (a, b) = unsafe {
            (
                first.part(a, first_chunk_len.min(first_total - a)),
                second.part(b, second_chunk_len.min(second_total - b)),
            )
        };
        f(index, a, b);
    });
}

/// Calls `f(index, part, slot)` for every part of `out`, which consists of pieces of `piece_len` elements that are each cut
/// into parts of `part_len`, the last of a piece perhaps shorter. `slot` is as in [`for_each_with_scratch`], and so is how
/// many run at a time.
///
/// Panics unless `out` consists of whole pieces and `part_len` is at least 1.
pub fn for_each_part_with_scratch<T: Send>(
    out: &mut [T],
    [piece_len, part_len]: [usize; 2],
    scratch: &mut [T],
    slot_len: usize,
    f: impl Fn(usize, &mut [T], &mut [T]) + Sync,
) {
    if out.is_empty() {
        return;
    }
    assert!(out.len().is_multiple_of(piece_len) && part_len > 0, "whole pieces");
    let parts = piece_len.div_ceil(part_len);
    let chunks = out.len() / piece_len * parts;
    let shared = SharedMut::new(out);
    for_each_with_scratch(chunks, scratch, slot_len, |index, slot| {
        let (piece, first) = (index / parts, index % parts * part_len);
        let len = part_len.min(piece_len - first);
        // SAFETY: parts of different indices do not overlap and end within their piece of `out`, which is borrowed meanwhile.
        f(index, unsafe { shared.part(piece * piece_len + first, len) }, slot);
    });
}

/// Calls `f(index, slot)` for each of `chunks` chunks, where `slot` is `slot_len` elements of `scratch` that no other
/// chunk uses at the same time. Its contents are whatever an earlier chunk left.
///
/// As many chunks run at a time as slots fit into `scratch`; panics if not even one does.
pub(crate) fn for_each_with_scratch<T: Send>(
    chunks: usize,
    scratch: &mut [T],
    slot_len: usize,
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    if chunks == 0 {
        return;
    }
    assert!(scratch.len() >= slot_len, "scratch holds at least one slot");
    let slots = scratch.len().checked_div(slot_len).unwrap_or(chunks).min(pool::threads()).min(chunks);
    let shared = SharedMut::new(scratch);
    let claims = Claims::new(chunks);
    // As in any loop one end is the caller's, who has the first slot: of two threads each mostly gets the chunks that it had
    // in a loop of the same extents before, and finds what it made of them in its cache.
    parallel_for(slots, &|slot| {
        let (mut first, mut over) = ((slot == 0).then_some(0), false);
        let mut claim = || match slot {
            0 => first.take().or_else(|| claims.front(&mut over)),
            _ => claims.back(&mut over),
        };
        while let Some(index) = claim() {
            // SAFETY: slots of different numbers do not overlap and end within `scratch`, which is borrowed meanwhile.
            f(index, unsafe { shared.part(slot * slot_len, slot_len) });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_belongs_to_one_chunk() {
        for len in [0, 1, 5, 6, 7, 100] {
            for chunk_len in [1, 3, 6, 200] {
                let mut out = vec![usize::MAX; len];
                for_each_chunk(&mut out, chunk_len, |index, chunk| chunk.fill(index));
                let expected: Vec<_> = (0..len).map(|i| i / chunk_len).collect();
                assert_eq!(out, expected);
            }
        }
    }

    #[test]
    fn two_outputs_are_cut_in_step() {
        let (mut a, mut b) = (vec![0usize; 7], vec![0usize; 11]);
        for_each_chunk2(&mut a, 2, &mut b, 3, |index, a, b| {
            a.fill(index);
            b.fill(10 * index);
        });
        assert_eq!(a, [0, 0, 1, 1, 2, 2, 3]);
        assert_eq!(b, [0, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30]);
        for_each_chunk2(&mut [0u8; 0], 0, &mut [0u8; 0], 0, |_, _, _| unreachable!());
    }

    #[test]
    fn parts_end_with_their_piece() {
        let (mut out, mut scratch) = (vec![usize::MAX; 14], vec![0usize; 5]);
        for_each_part_with_scratch(&mut out, [7, 3], &mut scratch, 2, |index, part, slot| {
            slot.fill(index);
            part.fill(slot[1]);
        });
        assert_eq!(out, [0, 0, 0, 1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5]);
        for_each_part_with_scratch(&mut [0u8; 0], [0, 0], &mut [], 1, |_, _, _| unreachable!());
    }

    #[test]
    fn slots_are_not_shared() {
        let mut scratch = vec![0usize; 7];
        let (send, receive) = std::sync::mpsc::channel();
        for_each_with_scratch(50, &mut scratch, 3, |index, slot| {
            assert_eq!(slot.len(), 3);
            slot.fill(index);
            std::thread::yield_now();
            send.send((index, slot.iter().all(|&value| value == index))).unwrap();
        });
        let mut seen: Vec<_> = receive.try_iter().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..50).map(|index| (index, true)).collect::<Vec<_>>());
    }
}
