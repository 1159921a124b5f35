//! The gradients of [`gru`](crate::gru) with respect to its float operands.
//!
//! Operands: those of `gru`; its reserve; and the gradients `dsequence` `[B, T, U]` (in the order of processing; `[B, 0, U]`
//! where nothing flows from the sequence) and `dh` `[B, U]`. Results: `dx` `[B, T, I]`, `dkernel` `[I, 3U]`, `drecurrent`
//! `[U, 3U]`, `dbias` like the bias, and `dh0` `[B, U]`.
//!
//! Backwards over the steps, with `dh` the gradient of `h_t` from the sequence and from later steps, and `dp`, `dq` those of
//! what the gates get from the input and from the state: `dp_z = dq_z = dh * (h_{t-1} - g) * z * (1 - z)`,
//! `dp_h = dh * (1 - z) * (1 - g^2)`, and with `resetAfter` `dq_h = dp_h * r`, `dp_r = dq_r = dp_h * q_h * r * (1 - r)`,
//! `dh_{t-1} = dh * z + dq recurrentᵀ`. Without it `ds = dp_h recurrent_hᵀ` is the gradient of `s = r * h_{t-1}`,
//! `dp_r = ds * h_{t-1} * r * (1 - r)`, `dh_{t-1} = dh * z + ds * r + dp_zr recurrent_zrᵀ`. The weights' gradients are sums over the
//! steps of `x_tᵀ dp_t` and `h_{t-1}ᵀ dq_t` (`sᵀ dp_h`), the bias's of `dp_t` and `dq_t`. A masked step hands `dh` on as it is.
//!
//! Derivative: none. A second derivative through a recurrent layer would need this whole pass written as ops.

use crate::gru::{Gru, Trace, sample_ops};
use crate::registry::Registered;
use crate::shared::recurrence::known_extents;
use crate::shared::{step_with_unread, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::gru::{self, Gradients, GruBackward};
use ferrograph_kernels::recurrence::RecurrentShape;
use ferrograph_tensor::{DType, ViewMut};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GruGradient(pub Gru);

impl GruGradient {
    fn operand_count(&self) -> usize {
        self.0.cell().operand_count(self.0.recurrence())
    }
}

impl Op for GruGradient {
    fn name(&self) -> &'static str {
        "gru_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        self.0.cell().infer_gradient(self.0.recurrence(), operands, &[], &["dh"])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.0.shape(known_extents(self.name(), operands)?);
        let (Gru { reverse, masked, .. }, count) = (self.0, self.operand_count());
        let flows = operands[count + 1].extents()[1] > 0;
        Ok(step_with_unread(gru::backward_scratch_len(&shape), &[0, 4], move |mut context| {
            let inputs = context.inputs;
            let backward = GruBackward {
                x: inputs.f32(0),
                kernel: inputs.f32(1),
                recurrent: inputs.f32(2),
                mask: masked.then(|| inputs.u8(5)),
                reverse,
                reserve: inputs.f32(count),
                dy: flows.then(|| inputs.f32(count + 1)),
                dh: inputs.f32(count + 2),
            };
            let [dx, dkernel, drecurrent, dbias, dh0] = context.outputs.views([0, 1, 2, 3, 4]).map(ViewMut::f32);
            let [dx, dh0] = [dx, dh0].map(|result| (!result.is_empty()).then_some(result));
            let gradients = Gradients { dx, dkernel, drecurrent, dbias, dh0 };
            gru::backward(&shape, &backward, gradients, context.scratch);
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
        let (op, count) = (self.0, self.operand_count());
        let [x, kernel, recurrent, ..] = operands else { unreachable!("the shape rule counts operands") };
        let trace = Trace::run(op, &operands[..count]);
        let [batch, steps, units] = trace.extents;
        let [dsequence, mut dh] = [1, 2].map(|i| operands[count + i].clone());
        let mut results: Vec<Vec<f64>> = operands[..4].iter().map(|like| vec![0.0; like.data.len()]).collect();
        for step in (0..steps).rev() {
            let t = op.recurrence().source(steps, step);
            for b in 0..batch {
                if dsequence.shape[1] > 0 {
                    (0..units).for_each(|u| dh.data[b * units + u] += dsequence.at(&[b, step, u]));
                }
                if op.masked && operands[5].at(&[b, t]) == 0.0 {
                    continue;
                }
                let before = &trace.hidden[step][b * units..][..units];
                let kept = |part: usize, u: usize| trace.kept[step][(b * 4 + part) * units + u];
                let (mut dp, mut dq) = (vec![0.0; 3 * units], vec![0.0; 3 * units]);
                let mut passed = vec![0.0; units];
                for u in 0..units {
                    let [z, r, g, last] = [0, 1, 2, 3].map(|part| kept(part, u));
                    let d = dh.data[b * units + u];
                    dp[u] = d * (before[u] - g) * z * (1.0 - z);
                    dp[2 * units + u] = d * (1.0 - z) * (1.0 - g * g);
                    dp[units + u] = dp[2 * units + u] * last * r * (1.0 - r);
                    dq[2 * units + u] = dp[2 * units + u] * r;
                    passed[u] = d * z;
                }
                if !op.reset_after {
                    for u in 0..units {
                        let ds: f64 = (0..units).map(|v| dp[2 * units + v] * recurrent.at(&[u, 2 * units + v])).sum();
                        dp[units + u] = ds * before[u] * kept(1, u) * (1.0 - kept(1, u));
                        passed[u] += ds * kept(1, u);
                        dq[2 * units + u] = 0.0;
                    }
                }
                dq[..2 * units].copy_from_slice(&dp[..2 * units]);
                for (u, passed) in passed.into_iter().enumerate() {
                    let through: f64 = (0..3 * units).map(|j| dq[j] * recurrent.at(&[u, j])).sum();
                    dh.data[b * units + u] = passed + through;
                }
                let [dx, dkernel, drecurrent, dbias] = results.as_mut_slice() else { unreachable!("four of them") };
                for j in 0..3 * units {
                    for i in 0..x.shape[2] {
                        dx[(b * steps + t) * x.shape[2] + i] += dp[j] * kernel.at(&[i, j]);
                        dkernel[i * 3 * units + j] += x.at(&[b, t, i]) * dp[j];
                    }
                    for u in 0..units {
                        let product =
                            if op.reset_after || j < 2 * units { before[u] * dq[j] } else { kept(3, u) * dp[j] };
                        drecurrent[u * 3 * units + j] += product;
                    }
                    dbias[j] += dp[j];
                    if op.reset_after {
                        dbias[3 * units + j] += dq[j];
                    }
                }
            }
        }
        let shaped = results.into_iter().zip(operands);
        let mut results: Vec<_> =
            shaped.map(|(data, like)| Reference::new(DType::Float32, &like.shape, data)).collect();
        results.push(dh);
        results
    }

    fn reads(&self, index: usize) -> bool {
        // The reserve holds the states, and the bias only moves what the gates show.
        !(3..5).contains(&index)
    }
}

impl Registered for GruGradient {
    fn samples() -> Vec<Sample> {
        let all = sample_ops().into_iter();
        all.flat_map(|(op, shape)| [true, false].map(|flows| sample(op, &shape, flows))).collect()
    }
}

/// Operands of which the second half is what `gru` makes of the first; a gradient `flows` from the sequence or not.
fn sample(op: Gru, shape: &RecurrentShape, flows: bool) -> Sample {
    let (mut operands, values) = op.cell().known_operands(op.recurrence(), shape);
    let trace = Trace::run(op, &values);
    let [batch, steps, units] = trace.extents;
    let per_row = gru::reserve_len(&op.shape(RecurrentShape { batch: 1, ..*shape }));
    operands.extend([
        Operand::values(DType::Float32, &[batch, per_row], trace.reserve()),
        Operand::normal(&[batch, if flows { steps } else { 0 }, units]),
        Operand::normal(&[batch, units]),
    ]);
    // Errors of a few units in every gate of every step add up over steps and rows.
    Sample::new(GruGradient(op), operands).tolerance(24.0).not_differentiable()
}
