//! Steps over images that can be computed row by row.

use crate::{Clamp, Epilogue, Step};
use ferrograph_tensor::Inputs;
use std::ops::Range;

/// A step whose operand 0 and only result are float32 images, and that can compute some rows of the result from some rows of
/// the operand, with the bits they have in the whole. The executor lets such steps hand each other rows while these are in
/// the cache, where a whole image would not fit. The step needs no scratch memory.
pub trait ByRows: Step {
    /// What is read and written.
    fn extents(&self) -> RowExtents;

    /// The rows of operand 0 that `rows` of the result are made of: of no rows none, of later rows none earlier.
    fn reads(&self, rows: Range<usize>) -> Range<usize>;

    /// Computes some rows, and calls `epilogue` for every element of them once, when it is final.
    fn run_rows(&self, context: RowsContext<'_>, epilogue: Epilogue<'_>);

    /// The same with an epilogue that is a clamp. Only for steps for which [`Step::with_clamp`] gives something.
    fn run_rows_with_clamp(&self, context: RowsContext<'_>, clamp: Clamp<'_>);
}

/// The images of a [`ByRows`] step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowExtents {
    /// How many images.
    pub images: usize,
    /// Rows of an image of operand 0, and elements of a row.
    pub input: [usize; 2],
    /// Rows of an image of the result, and elements of a row.
    pub output: [usize; 2],
}

/// What a [`ByRows`] step works on.
#[derive(Debug)]
pub struct RowsContext<'a> {
    /// The rows of one image of operand 0 that [`ByRows::reads`] names.
    pub x: &'a [f32],
    /// The operands, in order; operand 0 may be empty.
    pub inputs: Inputs<'a>,
    /// The prepared forms, in the order of [`Step::preparations`], each float32.
    pub prepared: Inputs<'a>,
    /// Which rows of the image of the result to compute.
    pub rows: Range<usize>,
    /// These rows; their former contents are arbitrary.
    pub y: &'a mut [f32],
}
