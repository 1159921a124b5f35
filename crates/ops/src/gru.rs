//! Gated recurrent unit over a whole sequence, with `tanh` and `sigmoid` activations.
//!
//! The gates `z, r, h` are of `U` columns each (Keras's order). With `p_t = x_t kernel + bias` and `z`, `r` the sigmoids of
//! their parts of `p_t + h_{t-1} recurrent`, `h_t = z * h_{t-1} + (1 - z) * g`, where
//! `g = tanh(p_h + (r * h_{t-1}) recurrent_h)`. With `resetAfter` there is a second bias, of the state: `q_t = h_{t-1} recurrent +
//! bias[1]` takes the place of the product, and `g = tanh(p_h + r * q_h)`.
//!
//! Operands: `x` `[B, T, I]`, `kernel` `[I, 3U]`, `recurrent` `[U, 3U]`, `bias` `[3U]`, with `resetAfter` `[2, 3U]`, `h0` `[B, U]`
//! and, if `masked`, a bool mask `[B, T]`: where it is false, the step leaves the state as it was. Results: `sequence`
//! `[B, T, U]`, the `h_t` in the order of processing; the last `h` `[B, U]`; and a reserve `[B, K]` for the gradient, which
//! nothing else should read. With `reverse`, steps are processed from the last to the first, `x` and mask being given in the
//! order of time. A sequence of 0 steps is an error.
//!
//! Derivative: [`gru_gradient`](crate::gru_gradient), backpropagation through time.

use crate::gru_gradient::GruGradient;
use crate::registry::Registered;
use crate::shared::recurrence::{Cell, Recurrence, known_extents, reference_sequence, samples};
use crate::shared::to_json;
use ferrograph_graph::{
    Graph, GraphError, Op, Plan, Preparation, Reference, RunContext, Sample, Step, TensorType, ValueId,
};
use ferrograph_kernels::gru::{self, GruForward, GruShape, Outputs};
use ferrograph_kernels::recurrence::RecurrentShape;
use ferrograph_tensor::{DType, View, ViewMut};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gru {
    /// Whether the steps are processed from the last to the first.
    #[serde(default)]
    pub reverse: bool,
    /// Whether the operands end with a mask, bool `[B, T]`.
    #[serde(default)]
    pub masked: bool,
    /// Whether the reset gate is applied after the product with the recurrent weights.
    #[serde(default)]
    pub reset_after: bool,
}

impl Gru {
    pub(crate) fn recurrence(self) -> Recurrence {
        Recurrence { reverse: self.reverse, masked: self.masked }
    }

    pub(crate) fn cell(self) -> Cell {
        Cell { gates: 3, two_biases: self.reset_after, states: &["h0"], reserve_len }
    }

    pub(crate) fn shape(self, extents: RecurrentShape) -> GruShape {
        GruShape { extents, reset_after: self.reset_after }
    }
}

/// The same with and without `reset_after`.
fn reserve_len(shape: &RecurrentShape) -> usize {
    gru::reserve_len(&Gru::default().shape(*shape))
}

impl Op for Gru {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let extents = self.cell().infer(self.recurrence(), operands)?;
        Ok(vec![extents.sequence(), extents.state(), extents.reserve()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.shape(known_extents(self.name(), operands)?);
        let preparations = [
            Preparation { operand: 1, len: gru::packed_kernel_len(&shape) },
            Preparation { operand: 2, len: gru::packed_recurrent_len(&shape) },
        ];
        Ok(Plan::Step(Box::new(Forward { shape, reverse: self.reverse, masked: self.masked, preparations })))
    }

    fn keeps_entries_apart(&self, result: usize, batched: &[bool], _: &[TensorType]) -> bool {
        self.cell().keeps_entries_apart(result, batched)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        self.cell().vjp(self.name(), GruGradient(*self), &[], graph, (operands, results), gradients)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let trace = Trace::run(*self, operands);
        let [batch, steps, units] = trace.extents;
        vec![
            reference_sequence(trace.extents, &trace.hidden),
            Reference::new(DType::Float32, &[batch, units], trace.hidden[steps].clone()),
            Reference::new(DType::Float32, &results[2].extents(), trace.reserve()),
        ]
    }
}

#[derive(Debug)]
struct Forward {
    shape: GruShape,
    reverse: bool,
    masked: bool,
    preparations: [Preparation; 2],
}

impl Step for Forward {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (inputs, prepared) = (context.inputs, context.prepared);
        let forward = GruForward {
            x: inputs.f32(0),
            packed_kernel: prepared.f32(0),
            packed_recurrent: prepared.f32(1),
            bias: inputs.f32(3),
            h0: Some(inputs.f32(4)),
            mask: self.masked.then(|| inputs.u8(5)),
            reverse: self.reverse,
        };
        let [y, h, reserve] = context.outputs.views([0, 1, 2]).map(ViewMut::f32);
        // What nobody reads is not there.
        let [y, reserve] = [y, reserve].map(|result| (!result.is_empty()).then_some(result));
        gru::forward(&self.shape, &forward, Outputs { y, h, reserve }, context.scratch);
        Ok(())
    }

    fn skips(&self, result: usize) -> bool {
        result != 1
    }

    fn scratch_len(&self) -> usize {
        gru::forward_scratch_len(&self.shape)
    }

    fn preparations(&self) -> &[Preparation] {
        &self.preparations
    }

    fn preparation_key(&self, index: usize) -> Option<String> {
        let layout = if index == 0 { gru::packed_kernel_layout } else { gru::packed_recurrent_layout };
        Some(format!("gru: {}", layout(&self.shape)))
    }

    fn prepare(&self, index: usize, operand: View<'_>, prepared: &mut [f32]) {
        let pack = if index == 0 { gru::pack_kernel } else { gru::pack_recurrent };
        pack(&self.shape, operand.f32(), prepared);
    }
}

/// All that happens in a run, in f64 and in the order of processing.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Batch, steps and units.
    pub(crate) extents: [usize; 3],
    /// For each step `z`, `r`, `g` and what the recurrent weights give the candidate or, without `reset_after`, what they
    /// multiply: `[B, 4U]`.
    pub(crate) kept: Vec<Vec<f64>>,
    /// The first state and that after each step, `[B, U]`.
    pub(crate) hidden: Vec<Vec<f64>>,
}

impl Trace {
    /// The reserve, as the kernel lays it out.
    pub(crate) fn reserve(&self) -> Vec<f64> {
        [self.kept.concat(), self.hidden.concat()].concat()
    }

    /// Runs the formula of the module.
    pub(crate) fn run(op: Gru, operands: &[Reference]) -> Self {
        let [x, kernel, recurrent, bias, h0] = [0, 1, 2, 3, 4].map(|i| &operands[i]);
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        let [batch, steps, units] = [x.shape[0], x.shape[1], recurrent.shape[0]];
        let (mut kept, mut hidden) = (Vec::new(), vec![h0.data.clone()]);
        for step in 0..steps {
            let t = op.recurrence().source(steps, step);
            let (mut all, mut h) = (vec![0.0; batch * 4 * units], hidden[step].clone());
            for b in 0..batch {
                let before = &hidden[step][b * units..][..units];
                let [of_input, of_state] = [0, 1].map(|part| {
                    move |j: usize| {
                        if op.reset_after {
                            bias.at(&[part, j])
                        } else if part == 0 {
                            bias.at(&[j])
                        } else {
                            0.0
                        }
                    }
                });
                let from_x = |j: usize| {
                    (0..x.shape[2]).map(|i| x.at(&[b, t, i]) * kernel.at(&[i, j])).sum::<f64>() + of_input(j)
                };
                let from_h = |state: &[f64], j: usize| {
                    (0..units).map(|i| state[i] * recurrent.at(&[i, j])).sum::<f64>() + of_state(j)
                };
                let [z, r] = [0, 1].map(|gate| {
                    let sum = |u: usize| sigmoid(from_x(gate * units + u) + from_h(before, gate * units + u));
                    (0..units).map(sum).collect::<Vec<f64>>()
                });
                let reset: Vec<f64> = r.iter().zip(before).map(|(r, h)| r * h).collect();
                for u in 0..units {
                    let j = 2 * units + u;
                    let (last, carried) = if op.reset_after {
                        let q = from_h(before, j);
                        (q, r[u] * q)
                    } else {
                        (reset[u], from_h(&reset, j))
                    };
                    let g = (from_x(j) + carried).tanh();
                    for (part, value) in [z[u], r[u], g, last].into_iter().enumerate() {
                        all[(b * 4 + part) * units + u] = value;
                    }
                    if operands.get(5).is_none_or(|mask| mask.at(&[b, t]) != 0.0) {
                        h[b * units + u] = z[u] * before[u] + (1.0 - z[u]) * g;
                    }
                }
            }
            kept.push(all);
            hidden.push(h);
        }
        Self { extents: [batch, steps, units], kept, hidden }
    }
}

/// The ops with shapes which between them reach every case.
pub(crate) fn sample_ops() -> Vec<(Gru, RecurrentShape)> {
    let both = samples().into_iter().flat_map(|(recurrence, shape)| {
        let Recurrence { reverse, masked } = recurrence;
        [false, true].map(|reset_after| (Gru { reverse, masked, reset_after }, shape))
    });
    both.collect()
}

impl Registered for Gru {
    fn samples() -> Vec<Sample> {
        let samples = sample_ops().into_iter();
        samples
            .map(|(op, shape)| {
                // Errors of a few units in every gate of every step add up, most in the sums over all units that the
                // reserve keeps: tanh is within 2.3 ULP, and 17 states meet in one sum.
                let sample = Sample::new(op, op.cell().sample_operands(op.recurrence(), &shape)).tolerance(8.0);
                // The reserve has no derivative; `tests/gru_derivative.rs` tries that of the other results.
                sample.not_differentiable()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(steps: Option<usize>, bias: &[usize]) -> Vec<TensorType> {
        let bias = bias.iter().copied().map(Some).collect();
        let shapes = [vec![None, steps, Some(2)], vec![Some(2), Some(9)], vec![Some(3), Some(9)], bias];
        let shapes = shapes.into_iter().chain([vec![None, Some(3)]]);
        shapes.map(|shape| TensorType::new(DType::Float32, shape)).collect()
    }

    #[test]
    fn carries_unknown_batch_and_steps() {
        for (reset_after, bias) in [(true, &[2, 9][..]), (false, &[9])] {
            let results = Gru { reset_after, ..Gru::default() }.infer(&types(None, bias)).unwrap();
            let shapes: Vec<String> = results.iter().map(TensorType::to_string).collect();
            assert_eq!(shapes, ["float32[null, null, 3]", "float32[null, 3]", "float32[null, null]"]);
        }
    }

    #[test]
    fn names_the_operand_that_does_not_fit() {
        let op = Gru { reset_after: true, ..Gru::default() };
        let refused = op.infer(&types(Some(4), &[3, 9])).unwrap_err();
        assert_eq!(refused, "bias [2, 3U] of shape [2, 9]");
        assert!(op.infer(&types(Some(4), &[9])).is_err());
    }
}
