//! What the ops of recurrent layers share: attributes and the shape rule of their operands.

use super::operands::{dtype, rank};
use super::window::may_agree;
use ferrograph_graph::{Extent, GraphError, TensorType, format_shape};
use ferrograph_kernels::lstm::LstmShape;
use ferrograph_tensor::{DType, element_count};
use serde::{Deserialize, Serialize};

/// Attributes of every recurrent op.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recurrence {
    /// Whether the steps are processed from the last to the first.
    #[serde(default)]
    pub reverse: bool,
    /// Whether the operands end with a mask, bool `[B, T]`.
    #[serde(default)]
    pub masked: bool,
}

/// Extents of an LSTM, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extents {
    /// Sequences.
    pub(crate) batch: Extent,
    /// Steps.
    pub(crate) steps: Extent,
    /// Units.
    pub(crate) units: Extent,
}

impl Extents {
    /// The type of what is made at each step, `[B, T, U]`.
    pub(crate) fn sequence(&self) -> TensorType {
        TensorType::new(DType::Float32, [self.batch, self.steps, self.units])
    }

    /// The type of a state, `[B, U]`.
    pub(crate) fn state(&self) -> TensorType {
        TensorType::new(DType::Float32, [self.batch, self.units])
    }

    /// The type of what the gradient needs, `[B, K]`; `K` depends on the numbers of steps and units.
    pub(crate) fn reserve(&self) -> TensorType {
        let one =
            |(steps, units)| ferrograph_kernels::lstm::reserve_len(&LstmShape { batch: 1, steps, input: 0, units });
        TensorType::new(DType::Float32, [self.batch, self.steps.zip(self.units).map(one)])
    }
}

impl Recurrence {
    /// How many operands the forward op has.
    pub(crate) fn operand_count(self) -> usize {
        if self.masked { 7 } else { 6 }
    }

    /// The shape rule of `x` `[B, T, I]`, `kernel` `[I, 4U]`, `recurrent` `[U, 4U]`, `bias` `[4U]`, `h0` and `c0` `[B, U]` and,
    /// where there is one, the mask `[B, T]`. The error completes "expected ...".
    pub(crate) fn infer(self, operands: &[TensorType]) -> Result<Extents, String> {
        if operands.len() != self.operand_count() {
            return Err(format!("{} operands", self.operand_count()));
        }
        for ((name, axes), operand) in
            [("x", 3), ("kernel", 2), ("recurrent", 2), ("bias", 1), ("h0", 2), ("c0", 2)].into_iter().zip(operands)
        {
            dtype(name, operand, &[DType::Float32])?;
            rank(name, operand, axes)?;
        }
        let [x, kernel, recurrent, bias, h0, c0] = [0, 1, 2, 3, 4, 5].map(|i| &operands[i].shape);
        let units = recurrent[0].or(h0[1]).or(c0[1]);
        let gates = match units {
            Some(units) => Some(units.checked_mul(4).ok_or("units that fit in memory")?),
            None => kernel[1].or(recurrent[1]).or(bias[0]),
        };
        let extents = Extents { batch: x[0].or(h0[0]).or(c0[0]), steps: x[1], units };
        for (name, shape, wanted) in [
            ("kernel [I, 4U]", kernel, vec![x[2], gates]),
            ("recurrent [U, 4U]", recurrent, vec![units, gates]),
            ("bias [4U]", bias, vec![gates]),
            ("h0 [B, U]", h0, vec![extents.batch, units]),
            ("c0 [B, U]", c0, vec![extents.batch, units]),
        ] {
            if !may_agree(shape, &wanted) {
                return Err(format!("{name} of shape {}", format_shape(&wanted)));
            }
        }
        if let Some(mask) = operands.get(6) {
            dtype("mask", mask, &[DType::Bool])?;
            if !may_agree(&mask.shape, &[extents.batch, extents.steps]) {
                return Err(format!("mask [B, T] of shape {}", format_shape(&[extents.batch, extents.steps])));
            }
        }
        Ok(extents)
    }
}

/// The extents of operands that the shape rule has let pass. A sequence without steps has no last output.
pub(crate) fn known_extents(op: &'static str, operands: &[TensorType]) -> Result<LstmShape, GraphError> {
    let (x, units) = (operands[0].extents(), operands[2].extents()[0]);
    let [batch, steps, input] = [x[0], x[1], x[2]];
    if steps == 0 {
        let message = format!("expected at least 1 step in x [B, T, I], received {}", operands[0]);
        return Err(GraphError::Run { op, message });
    }
    let shape = LstmShape { batch, steps, input, units };
    // The kernel multiplies these.
    element_count(&[batch, steps, units.max(1), 8])?;
    Ok(shape)
}

/// The attributes with shapes `[B, T, I]` and units, which between them reach every case.
pub(crate) fn samples() -> Vec<(Recurrence, LstmShape)> {
    let shape = |[batch, steps, input, units]: [usize; 4]| LstmShape { batch, steps, input, units };
    let mut samples = Vec::new();
    for reverse in [false, true] {
        for masked in [false, true] {
            let recurrence = Recurrence { reverse, masked };
            for extents in [[3, 4, 2, 3], [1, 1, 1, 1], [4, 3, 5, 17], [0, 2, 3, 2]] {
                samples.push((recurrence, shape(extents)));
            }
        }
    }
    samples
}

/// A mask of a sample: the first row is masked at every step, the others at some, in the middle and at the ends.
pub(crate) fn sample_mask(batch: usize, steps: usize) -> Vec<f64> {
    let present = |b: usize, t: usize| b > 0 && !(t + b).is_multiple_of(3);
    (0..batch * steps).map(|i| f64::from(u8::from(present(i / steps, i % steps)))).collect()
}
