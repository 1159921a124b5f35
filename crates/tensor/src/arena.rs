//! The memory of one run, and typed borrows of disjoint parts of it for one step at a time.

use crate::{Buffer, DType, Shared, View, ViewMut};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Where an operand lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Bytes of the run's block, from `offset` (a multiple of 64).
    Block {
        /// First byte.
        offset: usize,
    },
    /// A buffer that is only read, by its index: an input, a constant, a variable's value.
    Shared(usize),
    /// A buffer that this run alone writes, by its index: an output, a variable's next value.
    Own(usize),
}

/// An operand of a step: where it lies, how long it is, what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it begins.
    pub region: Region,
    /// Length in bytes.
    pub bytes: usize,
    /// Element type.
    pub dtype: DType,
}

/// All memory that one run touches.
#[derive(Debug)]
pub struct Arena<'a> {
    /// The block that intermediate values share.
    pub block: &'a mut Buffer,
    /// What is only read.
    pub shared: &'a [Shared<'a>],
    /// What outlives the run.
    pub own: &'a mut [Buffer],
}

/// A checked operand. Only [`Arena::operands`] makes them.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    start: NonNull<u8>,
    bytes: usize,
    dtype: DType,
}

// SAFETY: a Part is an address without a right to use it; only Inputs and Outputs, which borrow the arena, do.
unsafe impl Send for Part {}
// SAFETY: as above.
unsafe impl Sync for Part {}

/// Operands to read, while one step runs.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    parts: &'a [Part],
    borrow: PhantomData<&'a Buffer>,
}

/// Operands to write, while one step runs.
#[derive(Debug)]
pub struct Outputs<'a> {
    parts: &'a [Part],
    borrow: PhantomData<&'a mut Buffer>,
}

impl Arena<'_> {
    /// The operands of one step: two groups to read, two groups to write. `parts` is room that is used again and
    /// again, so that a warm run does not allocate.
    ///
    /// # Panics
    /// When a place lies outside its buffer, is misaligned, or what is written overlaps anything else: a plan that is
    /// wrong. Nothing is borrowed then.
    pub fn operands<'s>(
        &'s mut self,
        read: [&[Place]; 2],
        write: [&[Place]; 2],
        parts: &'s mut Vec<Part>,
    ) -> ([Inputs<'s>; 2], [Outputs<'s>; 2]) {
        parts.clear();
        for place in read.iter().copied().flatten() {
            let part = self.resolve(place);
            parts.push(part);
        }
        let written_from = parts.len();
        for place in write.iter().copied().flatten() {
            assert!(!matches!(place.region, Region::Shared(_)), "a shared buffer is never written");
            let part = self.resolve(place);
            assert!(parts.iter().all(|other| !overlap(part, *other)), "what a step writes overlaps another operand");
            parts.push(part);
        }
        let (reads, writes) = parts.split_at(written_from);
        let (r0, r1) = reads.split_at(read[0].len());
        let (w0, w1) = writes.split_at(write[0].len());
        let borrow = PhantomData;
        ([r0, r1].map(|parts| Inputs { parts, borrow }), [w0, w1].map(|parts| Outputs { parts, borrow: PhantomData }))
    }

    fn resolve(&mut self, place: &Place) -> Part {
        let (start, length, offset) = match place.region {
            Region::Block { offset } => (self.block.start(), self.block.len(), offset),
            Region::Shared(index) => (self.shared[index].start(), self.shared[index].len(), 0),
            Region::Own(index) => (self.own[index].start(), self.own[index].len(), 0),
        };
        assert!(offset % 64 == 0 && offset.checked_add(place.bytes).is_some_and(|end| end <= length), "{place:?}");
        // SAFETY: `offset` lies within the buffer, as just checked.
        let start = unsafe { start.add(offset) };
        Part { start, bytes: place.bytes, dtype: place.dtype }
    }
}

fn overlap(a: Part, b: Part) -> bool {
    let (a0, b0) = (a.start.as_ptr() as usize, b.start.as_ptr() as usize);
    a.bytes > 0 && b.bytes > 0 && a0 < b0 + b.bytes && b0 < a0 + a.bytes
}

impl<'a> Inputs<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.parts.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.parts.is_empty()
    }

    /// The operands from number `first` on.
    #[must_use]
    pub fn after(self, first: usize) -> Self {
        Self { parts: &self.parts[first..], ..self }
    }

    /// Operand `i`.
    pub fn view(self, i: usize) -> View<'a> {
        let part = self.parts[i];
        // SAFETY: `operands` checked that the part lies in memory borrowed for `'a` and that nothing written overlaps it.
        unsafe { View::from_raw(part.dtype, part.start, part.bytes) }
    }

    /// Operand `i` as float32.
    pub fn f32(self, i: usize) -> &'a [f32] {
        self.view(i).f32()
    }

    /// Operand `i` as int32.
    pub fn i32(self, i: usize) -> &'a [i32] {
        self.view(i).i32()
    }

    /// Operand `i` as bool or uint8.
    pub fn u8(self, i: usize) -> &'a [u8] {
        self.view(i).u8()
    }
}

impl<'a> Outputs<'a> {
    /// All results, to be written apart.
    pub fn into_views(self) -> impl Iterator<Item = ViewMut<'a>> {
        // SAFETY: `operands` checked that no part overlaps another; `self` is gone, so each is borrowed once for `'a`.
        self.parts.iter().map(|part| unsafe { ViewMut::from_raw(part.dtype, part.start, part.bytes) })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Result `i`, to write. Its former contents are arbitrary values of its type.
    pub fn view(&mut self, i: usize) -> ViewMut<'_> {
        let part = self.parts[i];
        // SAFETY: `operands` checked that the part overlaps no other; `&mut self` makes this the only borrow of it.
        unsafe { ViewMut::from_raw(part.dtype, part.start, part.bytes) }
    }

    /// Several results at once.
    ///
    /// # Panics
    /// When an index is given twice.
    pub fn views<const N: usize>(&mut self, indices: [usize; N]) -> [ViewMut<'_>; N] {
        for (n, i) in indices.iter().enumerate() {
            assert!(!indices[..n].contains(i), "result {i} asked for twice");
        }
        indices.map(|i| {
            let part = self.parts[i];
            // SAFETY: as in `view`; the indices differ, and different parts do not overlap.
            unsafe { ViewMut::from_raw(part.dtype, part.start, part.bytes) }
        })
    }

    /// Result `i` as float32.
    pub fn f32(&mut self, i: usize) -> &mut [f32] {
        self.view(i).f32()
    }

    /// Result `i` as int32.
    pub fn i32(&mut self, i: usize) -> &mut [i32] {
        self.view(i).i32()
    }

    /// Result `i` as bool or uint8.
    pub fn u8(&mut self, i: usize) -> &mut [u8] {
        self.view(i).u8()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: usize, bytes: usize) -> Place {
        Place { region: Region::Block { offset }, bytes, dtype: DType::Float32 }
    }

    #[test]
    fn reads_and_writes_disjoint_parts() {
        let mut block = Buffer::new(256).unwrap();
        block.view_mut(DType::Float32).f32()[..2].copy_from_slice(&[1.0, 2.0]);
        let mut arena = Arena { block: &mut block, shared: &[], own: &mut [] };
        let mut parts = Vec::new();
        let ([x, _], [mut y, _]) =
            arena.operands([&[place(0, 8)], &[]], [&[place(64, 8), place(128, 8)], &[]], &mut parts);
        let [a, b] = y.views([0, 1]);
        a.f32().copy_from_slice(x.f32(0));
        b.f32().fill(7.0);
        assert_eq!(y.f32(0), [1.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "overlaps")]
    fn refuses_to_write_what_is_read() {
        let mut block = Buffer::new(256).unwrap();
        let mut arena = Arena { block: &mut block, shared: &[], own: &mut [] };
        arena.operands([&[place(0, 128)], &[]], [&[place(64, 8)], &[]], &mut Vec::new());
    }

    #[test]
    #[should_panic(expected = "bytes")]
    fn refuses_what_lies_outside() {
        let mut block = Buffer::new(64).unwrap();
        let mut arena = Arena { block: &mut block, shared: &[], own: &mut [] };
        arena.operands([&[place(0, 65)], &[]], [&[], &[]], &mut Vec::new());
    }
}
