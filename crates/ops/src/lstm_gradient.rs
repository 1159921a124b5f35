//! The gradients of [`lstm`](crate::lstm) with respect to its float operands.
//!
//! Operands: those of `lstm`; its `sequence`, `c` and reserve; and the gradients `dsequence` `[B, T, U]` (in the order of
//! processing; `[B, 0, U]` where nothing flows from the sequence), `dh` and `dc` `[B, U]`. Results: `dx` `[B, T, I]`,
//! `dkernel` `[I, 4U]`, `drecurrent` `[U, 4U]`, `dbias` `[4U]`, `dh0` and `dc0` `[B, U]`.
//!
//! Backwards over the steps, with `dh` the gradient of `h_t` from the sequence and from later steps, and the gates as they
//! are after activation: `do = dh * tanh(c_t)`, `dc += dh * o * (1 - tanh(c_t)^2)`, `di = dc * g`, `df = dc * c_{t-1}`,
//! `dg = dc * i`, and `dc_{t-1} = dc * f`. With `dz_t` the gates' gradients times the slopes of their activations,
//! `dh_{t-1} = dz_t recurrentᵀ`, `dx_t = dz_t kernelᵀ`, `dkernel = sum of x_tᵀ dz_t`, `drecurrent = sum of h_{t-1}ᵀ dz_t`,
//! `dbias = sum of dz_t`. A masked step hands `dh` and `dc` on as they are.
//!
//! Derivative: none. A second derivative through a recurrent layer would need this whole pass written as ops.

use crate::lstm::{CELL, Trace};
use crate::registry::Registered;
use crate::shared::recurrence::{Extents, Named, Recurrence, known_extents, samples};
use crate::shared::{step_with_unread, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::lstm::{self, Gradients, LstmBackward};
use ferrograph_kernels::recurrence::RecurrentShape;
use ferrograph_tensor::{DType, ViewMut};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LstmGradient {
    /// Direction and mask.
    pub recurrence: Recurrence,
}

impl Op for LstmGradient {
    fn name(&self) -> &'static str {
        "lstm_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let named: [Named; 2] = [("sequence", Extents::sequence), ("c", Extents::state)];
        CELL.infer_gradient(self.recurrence, operands, &named, &["dh", "dc"])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = known_extents(self.name(), operands)?;
        let (Recurrence { reverse, masked }, count) = (self.recurrence, CELL.operand_count(self.recurrence));
        let flows = operands[count + 3].extents()[1] > 0;
        Ok(step_with_unread(lstm::backward_scratch_len(&shape), &[0, 4, 5], move |mut context| {
            let inputs = context.inputs;
            let backward = LstmBackward {
                x: inputs.f32(0),
                kernel: inputs.f32(1),
                recurrent: inputs.f32(2),
                mask: masked.then(|| inputs.u8(6)),
                reverse,
                reserve: inputs.f32(count + 2),
                dy: flows.then(|| inputs.f32(count + 3)),
                dh: Some(inputs.f32(count + 4)),
                dc: Some(inputs.f32(count + 5)),
            };
            let results = context.outputs.views([0, 1, 2, 3, 4, 5]).map(ViewMut::f32);
            let [dx, dkernel, drecurrent, dbias, dh0, dc0] = results;
            let [dx, dh0, dc0] = [dx, dh0, dc0].map(|result| (!result.is_empty()).then_some(result));
            let gradients = Gradients { dx, dkernel, drecurrent, dbias: Some(dbias), dh0, dc0 };
            lstm::backward(&shape, &backward, gradients, context.scratch);
            Ok(())
        }))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Err(GraphError::NotDifferentiable { op: self.name() })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let count = CELL.operand_count(self.recurrence);
        let [x, kernel, recurrent, ..] = operands else { unreachable!("the shape rule counts operands") };
        let trace = Trace::run(self.recurrence, &operands[..count]);
        let [batch, steps, units] = trace.extents;
        let [dsequence, mut dh, mut dc] = [3, 4, 5].map(|i| operands[count + i].clone());
        let mut results: Vec<Vec<f64>> = operands[..4].iter().map(|like| vec![0.0; like.data.len()]).collect();
        for step in (0..steps).rev() {
            let t = self.recurrence.source(steps, step);
            for b in 0..batch {
                if dsequence.shape[1] > 0 {
                    (0..units).for_each(|u| dh.data[b * units + u] += dsequence.at(&[b, step, u]));
                }
                if self.recurrence.masked && operands[6].at(&[b, t]) == 0.0 {
                    continue;
                }
                let mut dz = vec![0.0; 4 * units];
                for u in 0..units {
                    let at = b * units + u;
                    let [i, f, g, o] = [0, 1, 2, 3].map(|gate| trace.gates[step][(b * 4 + gate) * units + u]);
                    let tanh = trace.cells[step + 1][at].tanh();
                    let dcell = dc.data[at] + dh.data[at] * o * (1.0 - tanh * tanh);
                    dz[u] = dcell * g * i * (1.0 - i);
                    dz[units + u] = dcell * trace.cells[step][at] * f * (1.0 - f);
                    dz[2 * units + u] = dcell * i * (1.0 - g * g);
                    dz[3 * units + u] = dh.data[at] * tanh * o * (1.0 - o);
                    dc.data[at] = dcell * f;
                }
                for u in 0..units {
                    dh.data[b * units + u] = (0..4 * units).map(|j| dz[j] * recurrent.at(&[u, j])).sum();
                }
                let [dx, dkernel, drecurrent, dbias] = results.as_mut_slice() else { unreachable!("four of them") };
                for (j, dz) in dz.iter().enumerate() {
                    for p in 0..x.shape[2] {
                        dx[(b * steps + t) * x.shape[2] + p] += dz * kernel.at(&[p, j]);
                        dkernel[p * 4 * units + j] += x.at(&[b, t, p]) * dz;
                    }
                    for u in 0..units {
                        drecurrent[u * 4 * units + j] += trace.hidden[step][b * units + u] * dz;
                    }
                    dbias[j] += dz;
                }
            }
        }
        let shaped = results.into_iter().zip(operands);
        let mut results: Vec<_> =
            shaped.map(|(data, like)| Reference::new(DType::Float32, &like.shape, data)).collect();
        results.extend([dh, dc]);
        results
    }

    fn reads(&self, index: usize) -> bool {
        let count = CELL.operand_count(self.recurrence);
        // The reserve holds the states, and the bias only moves what the gates show.
        !(3..6).contains(&index) && !(count..count + 2).contains(&index)
    }
}

impl Registered for LstmGradient {
    fn samples() -> Vec<Sample> {
        let all = samples().into_iter();
        all.flat_map(|(recurrence, shape)| [true, false].map(|flows| sample(recurrence, &shape, flows))).collect()
    }
}

/// Operands of which the second half is what `lstm` makes of the first; a gradient `flows` from the sequence or not.
fn sample(recurrence: Recurrence, shape: &RecurrentShape, flows: bool) -> Sample {
    let (mut operands, values) = CELL.known_operands(recurrence, shape);
    let trace = Trace::run(recurrence, &values);
    let [batch, steps, units] = trace.extents;
    let (sequence, state) = (vec![batch, steps, units], vec![batch, units]);
    let per_row = lstm::reserve_len(&RecurrentShape { batch: 1, ..*shape });
    operands.extend([
        // Only their shapes are used.
        Operand::normal(&sequence),
        Operand::normal(&state),
        Operand::values(DType::Float32, &[batch, per_row], trace.reserve()),
        Operand::normal(&[batch, if flows { steps } else { 0 }, units]),
        Operand::normal(&state),
        Operand::normal(&state),
    ]);
    // Errors of a few units in every gate of every step add up over steps and rows.
    Sample::new(LstmGradient { recurrence }, operands).tolerance(12.0).not_differentiable()
}
