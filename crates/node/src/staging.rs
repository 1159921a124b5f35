//! Runs on small operands that cross the boundary in one piece of memory.
//!
//! To ask Node-API for an array, its memory and whose it is, and to make arrays for the outputs, takes several microseconds
//! a run, longer than a small model computes. Here JavaScript copies the inputs into memory that it keeps, and the outputs
//! from there: one array crosses.

use crate::error::Failure;
use ferrograph_executor::{Program, RunInput};
use ferrograph_tensor::{DType, Shared, View, byte_size};
use napi_derive::napi;
use std::ops::Range;

/// All operands together have at most so many bytes: to copy more would cost more than it saves. A prediction of 32 images of
/// 28 x 28, which have 100 KB, takes 4 % less so.
const LARGEST: usize = 1 << 17;
/// Operands begin at multiples of this, as far as the memory itself does.
const ALIGNMENT: usize = 64;

/// Where the operands of a program lie for a number of rows.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    rows: usize,
    inputs: Vec<Piece>,
    outputs: Vec<Piece>,
    bytes: usize,
}

/// One operand.
#[derive(Debug)]
struct Piece {
    dtype: DType,
    shape: Vec<usize>,
    range: Range<usize>,
}

/// [`Staging`] for JavaScript.
#[napi(object)]
pub struct Stage {
    /// Length of the memory.
    pub bytes: f64,
    /// The first byte of each input.
    pub inputs: Vec<f64>,
    /// The first byte of each output.
    pub outputs: Vec<f64>,
    /// The shape of each output.
    pub shapes: Vec<Vec<f64>>,
}

impl Staging {
    /// `None` unless the operands are small numbers of which no more than the rows is unknown.
    pub(crate) fn new(program: &Program, rows: usize) -> Result<Option<Self>, Failure> {
        let mut staging = Self { rows, ..Self::default() };
        for ty in program.input_types() {
            let shape: Option<Vec<usize>> = match ty.shape.split_first() {
                Some((None, rest)) => [Some(rows)].into_iter().chain(rest.iter().copied()).collect(),
                _ => None,
            };
            // Any byte but 0 means true, which only a copy on this side can put right.
            let (Some(shape), false) = (shape, ty.dtype == DType::Bool) else { return Ok(None) };
            let Some(piece) = staging.place(ty.dtype, shape)? else { return Ok(None) };
            staging.inputs.push(piece);
        }
        let shapes: Vec<_> = staging.inputs.iter().map(|input| input.shape.clone()).collect();
        for (dtype, shape) in program.output_shapes(&shapes)? {
            let Some(piece) = staging.place(dtype, shape)? else { return Ok(None) };
            staging.outputs.push(piece);
        }
        Ok(Some(staging))
    }

    /// The next piece of memory, if it is not too much.
    fn place(&mut self, dtype: DType, shape: Vec<usize>) -> Result<Option<Piece>, Failure> {
        let start = self.bytes;
        let bytes = byte_size(dtype, &shape)?;
        if bytes > LARGEST - start {
            return Ok(None);
        }
        self.bytes = (start + bytes).next_multiple_of(ALIGNMENT).min(LARGEST);
        Ok(Some(Piece { dtype, shape, range: start..start + bytes }))
    }

    /// Makes this the staging for `rows`, unless it is.
    pub(crate) fn fit(&mut self, program: &Program, rows: usize) -> Result<(), Failure> {
        if self.bytes == 0 || self.rows != rows {
            let small = || Failure::argument("rows", "a number that stage has an answer for", rows.to_string());
            *self = Self::new(program, rows)?.ok_or_else(small)?;
        }
        Ok(())
    }

    pub(crate) fn describe(&self) -> Stage {
        let starts = |pieces: &[Piece]| pieces.iter().map(|piece| piece.range.start as f64).collect();
        let shape = |piece: &Piece| crate::tensor::numbers(&piece.shape);
        Stage {
            bytes: self.bytes as f64,
            inputs: starts(&self.inputs),
            outputs: starts(&self.outputs),
            shapes: self.outputs.iter().map(shape).collect(),
        }
    }

    /// Runs `program` on the inputs in `memory` and writes the outputs there.
    pub(crate) fn run(&self, program: &Program, memory: &mut [u8]) -> Result<(), Failure> {
        let (expected, received) = (self.bytes, memory.len());
        let unfit = || Failure::argument("memory", format!("{expected} aligned bytes"), format!("{received} bytes"));
        if received < expected {
            return Err(unfit());
        }
        let operand = |piece: &'_ Piece| View::of_bytes(piece.dtype, &memory[piece.range.clone()]);
        let operands = self.inputs.iter().map(|piece| Some(Operand { piece, elements: operand(piece)? }));
        let operands: Vec<_> = operands.collect::<Option<_>>().ok_or_else(unfit)?;
        let outputs = program.run_on(&operands, None)?;
        drop(operands);
        for (piece, output) in self.outputs.iter().zip(outputs) {
            memory[piece.range.clone()].copy_from_slice(output.view().bytes());
        }
        Ok(())
    }
}

/// An input in the memory.
struct Operand<'a> {
    piece: &'a Piece,
    elements: View<'a>,
}

impl RunInput for Operand<'_> {
    fn dtype(&self) -> DType {
        self.piece.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.piece.shape
    }

    fn memory(&self) -> Shared<'_> {
        Shared::Borrowed(self.elements)
    }
}
