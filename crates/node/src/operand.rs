//! What JavaScript gives to a run.

use crate::arguments::shape;
use crate::elements::{Ownership, bytes, copied, ownership};
use crate::error::Failure;
use crate::tensor::NativeTensor;
use ferrograph_executor::{Program, ProgramError, RunInput};
use ferrograph_tensor::{DType, Shared, Tensor, View};
use napi::bindgen_prelude::{Array, ClassInstance, TypedArray};

/// The data for one input.
#[derive(Debug)]
pub(crate) enum Operand<'env> {
    /// A tensor, or a copy of a typed array.
    Held(Tensor),
    /// A typed array that is read where it lies.
    Lent {
        /// Element type.
        dtype: DType,
        /// Extents.
        shape: Vec<usize>,
        /// As many as the shape says.
        elements: View<'env>,
    },
}

impl RunInput for Operand<'_> {
    fn dtype(&self) -> DType {
        match self {
            Self::Held(tensor) => tensor.dtype(),
            Self::Lent { dtype, .. } => *dtype,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Held(tensor) => tensor.shape(),
            Self::Lent { shape, .. } => shape,
        }
    }

    fn memory(&self) -> Shared<'_> {
        match self {
            Self::Held(tensor) => tensor.memory(),
            Self::Lent { elements, .. } => Shared::Borrowed(*elements),
        }
    }
}

/// Operands for a run that ends before JavaScript goes on: typed arrays are read where they lie.
pub(crate) fn borrowed<'env>(
    program: &Program,
    inputs: &Array<'env>,
    shapes: &Array<'_>,
) -> Result<Vec<Operand<'env>>, Failure> {
    read(program, inputs, shapes, |index, dtype, shape, data, ownership| {
        bytes(dtype, &shape, data)?;
        let elements = match (ownership, dtype) {
            (Ownership::Own, DType::Float32) => inputs.get(index).ok().flatten().map(View::F32),
            (Ownership::Own, DType::Int32) => inputs.get(index).ok().flatten().map(View::I32),
            // Other threads may write to shared memory, and any byte but 0 means true, which only a copy can put right.
            _ => None,
        };
        match elements {
            Some(elements) => Ok(Operand::Lent { dtype, shape, elements }),
            None => copied(dtype, &shape, data).map(Operand::Held),
        }
    })
}

/// Operands for a run that JavaScript does not wait for: typed arrays are copied.
pub(crate) fn owned(
    program: &Program,
    inputs: &Array<'_>,
    shapes: &Array<'_>,
) -> Result<Vec<Operand<'static>>, Failure> {
    read(program, inputs, shapes, |_, dtype, shape, data, _| copied(dtype, &shape, data).map(Operand::Held))
}

/// The tensors of inputs that are all `NativeTensor`s.
pub(crate) fn tensors(inputs: &Array<'_>) -> Result<Vec<Tensor>, Failure> {
    (0..inputs.len()).map(|index| held(inputs, index)).collect()
}

/// One operand for each input: a `NativeTensor`, or a typed array, whose shape is in `shapes`.
fn read<'o>(
    program: &Program,
    inputs: &Array<'_>,
    shapes: &Array<'_>,
    operand: impl Fn(u32, DType, Vec<usize>, &TypedArray<'_>, Ownership) -> Result<Operand<'o>, Failure>,
) -> Result<Vec<Operand<'o>>, Failure> {
    let expected = program.input_types().len();
    if inputs.len() as usize != expected {
        return Err(ProgramError::InputCount { expected, received: inputs.len() as usize }.into());
    }
    // Everything that may run JavaScript comes first: it could transfer the memory of an array away.
    let mut asked = Vec::with_capacity(expected);
    for index in 0..inputs.len() {
        asked.push(match array(inputs, index) {
            Some(data) => Some((extents(shapes, index)?, ownership(&data)?)),
            None => None,
        });
    }
    let operands = (0..).zip(program.input_types()).zip(asked).map(|((index, expected), asked)| {
        match (asked, array(inputs, index)) {
            (Some((shape, ownership)), Some(data)) => operand(index, expected.dtype, shape, &data, ownership),
            _ => held(inputs, index).map(Operand::Held),
        }
    });
    operands.collect()
}

fn array<'env>(inputs: &Array<'env>, index: u32) -> Option<TypedArray<'env>> {
    inputs.get(index).ok().flatten()
}

fn extents(shapes: &Array<'_>, index: u32) -> Result<Vec<usize>, Failure> {
    let extents: Option<Array<'_>> = shapes.get(index).ok().flatten();
    let missing = || Failure::argument(&format!("shapes[{index}]"), "an array of numbers", "another value");
    shape(&extents.ok_or_else(missing)?)
}

fn held(inputs: &Array<'_>, index: u32) -> Result<Tensor, Failure> {
    let tensor: Option<ClassInstance<'_, NativeTensor>> = inputs.get(index).ok().flatten();
    let wrong = || Failure::argument(&format!("inputs[{index}]"), "a NativeTensor or a typed array", "another value");
    tensor.ok_or_else(wrong)?.get()
}
