//! Long short-term memory over a whole sequence, with `tanh` and `sigmoid` activations.
//!
//! `z_t = x_t kernel + h_{t-1} recurrent + bias` falls into the gates `i, f, g, o`, each of `U` columns (Keras's order), and
//! `c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)`, `h_t = sigmoid(o) * tanh(c_t)`.
//!
//! Operands: `x` `[B, T, I]`, `kernel` `[I, 4U]`, `recurrent` `[U, 4U]`, `bias` `[4U]`, `h0` and `c0` `[B, U]` and, if `masked`, a
//! bool mask `[B, T]`: where it is false, the step leaves both states as they were. Results: `sequence` `[B, T, U]`, the `h_t`
//! in the order of processing; the last `h` and `c` `[B, U]`; and a reserve `[B, K]` for the gradient, which nothing else
//! should read. With `reverse`, steps are processed from the last to the first, `x` and mask being given in the order of
//! time. A sequence of 0 steps is an error.
//!
//! Derivative: [`lstm_gradient`](crate::lstm_gradient), backpropagation through time.

use crate::lstm_gradient::LstmGradient;
use crate::registry::Registered;
use crate::shared::recurrence::{Cell, Recurrence, known_extents, reference_sequence, samples};
use crate::shared::to_json;
use ferrograph_graph::{
    Graph, GraphError, Op, Plan, Preparation, Reference, RunContext, Sample, Step, TensorType, ValueId,
};
use ferrograph_kernels::lstm::{self, LstmForward, Outputs};
use ferrograph_kernels::recurrence::RecurrentShape;
use ferrograph_tensor::{DType, View, ViewMut};
use serde::{Deserialize, Serialize};

pub(crate) const CELL: Cell =
    Cell { gates: 4, two_biases: false, states: &["h0", "c0"], reserve_len: lstm::reserve_len };

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lstm {
    /// Direction and mask.
    pub recurrence: Recurrence,
}

impl Op for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let extents = CELL.infer(self.recurrence, operands)?;
        Ok(vec![extents.sequence(), extents.state(), extents.state(), extents.reserve()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = known_extents(self.name(), operands)?;
        let Recurrence { reverse, masked } = self.recurrence;
        let preparations = [
            Preparation { operand: 1, len: lstm::packed_kernel_len(&shape) },
            Preparation { operand: 2, len: lstm::packed_recurrent_len(&shape) },
        ];
        Ok(Plan::Step(Box::new(Forward { shape, reverse, masked, preparations })))
    }

    fn keeps_entries_apart(&self, result: usize, batched: &[bool], _: &[TensorType]) -> bool {
        CELL.keeps_entries_apart(result, batched)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let gradient = LstmGradient { recurrence: self.recurrence };
        CELL.vjp(self.name(), gradient, &[0, 2], graph, (operands, results), gradients)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let trace = Trace::run(self.recurrence, operands);
        let [batch, steps, units] = trace.extents;
        let last = |states: &[Vec<f64>]| states[steps].clone();
        let sequence = reference_sequence(trace.extents, &trace.hidden);
        let state = |data| Reference::new(DType::Float32, &[batch, units], data);
        vec![
            sequence,
            state(last(&trace.hidden)),
            state(last(&trace.cells)),
            Reference::new(DType::Float32, &results[3].extents(), trace.reserve()),
        ]
    }
}

#[derive(Debug)]
struct Forward {
    shape: RecurrentShape,
    reverse: bool,
    masked: bool,
    preparations: [Preparation; 2],
}

impl Step for Forward {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (inputs, prepared) = (context.inputs, context.prepared);
        let forward = LstmForward {
            x: inputs.f32(0),
            packed_kernel: prepared.f32(0),
            packed_recurrent: prepared.f32(1),
            bias: Some(inputs.f32(3)),
            h0: Some(inputs.f32(4)),
            c0: Some(inputs.f32(5)),
            mask: self.masked.then(|| inputs.u8(6)),
            reverse: self.reverse,
        };
        let [y, h, c, reserve] = context.outputs.views([0, 1, 2, 3]).map(ViewMut::f32);
        // What nobody reads is not there.
        let [y, reserve] = [y, reserve].map(|result| (!result.is_empty()).then_some(result));
        lstm::forward(&self.shape, &forward, Outputs { y, h, c, reserve }, context.scratch);
        Ok(())
    }

    fn skips(&self, result: usize) -> bool {
        result == 0 || result == 3
    }

    fn scratch_len(&self) -> usize {
        lstm::forward_scratch_len(&self.shape)
    }

    fn preparations(&self) -> &[Preparation] {
        &self.preparations
    }

    fn preparation_key(&self, index: usize) -> Option<String> {
        let layout = if index == 0 { lstm::packed_kernel_layout } else { lstm::packed_recurrent_layout };
        Some(format!("lstm: {}", layout(&self.shape)))
    }

    fn prepare(&self, index: usize, operand: View<'_>, prepared: &mut [f32]) {
        let pack = if index == 0 { lstm::pack_kernel } else { lstm::pack_recurrent };
        pack(&self.shape, operand.f32(), prepared);
    }
}

/// All that happens in a run, in f64 and in the order of processing.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Batch, steps and units.
    pub(crate) extents: [usize; 3],
    /// For each step the gates after activation, `[B, 4U]`.
    pub(crate) gates: Vec<Vec<f64>>,
    /// The first cell state and that after each step, `[B, U]`.
    pub(crate) cells: Vec<Vec<f64>>,
    /// The same for the hidden state.
    pub(crate) hidden: Vec<Vec<f64>>,
}

impl Trace {
    /// The reserve, as the kernel lays it out.
    pub(crate) fn reserve(&self) -> Vec<f64> {
        [self.gates.concat(), self.cells.concat(), self.hidden.concat()].concat()
    }

    /// Runs the formula of the module.
    pub(crate) fn run(recurrence: Recurrence, operands: &[Reference]) -> Self {
        let [x, kernel, recurrent, bias, h0, c0] = [0, 1, 2, 3, 4, 5].map(|i| &operands[i]);
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        let [batch, steps, units] = [x.shape[0], x.shape[1], recurrent.shape[0]];
        let (mut gates, mut cells, mut hidden) = (Vec::new(), vec![c0.data.clone()], vec![h0.data.clone()]);
        for step in 0..steps {
            let t = recurrence.source(steps, step);
            let (mut z, mut c, mut h) = (vec![0.0; batch * 4 * units], cells[step].clone(), hidden[step].clone());
            for b in 0..batch {
                let z = &mut z[b * 4 * units..][..4 * units];
                for (j, z) in z.iter_mut().enumerate() {
                    let from_x: f64 = (0..x.shape[2]).map(|p| x.at(&[b, t, p]) * kernel.at(&[p, j])).sum();
                    let from_h: f64 = (0..units).map(|p| hidden[step][b * units + p] * recurrent.at(&[p, j])).sum();
                    let sum = from_x + from_h + bias.at(&[j]);
                    *z = if j / units == 2 { sum.tanh() } else { sigmoid(sum) };
                }
                let masked = operands.get(6).is_some_and(|mask| mask.at(&[b, t]) == 0.0);
                for u in (0..units).filter(|_| !masked) {
                    let at = b * units + u;
                    c[at] = z[units + u] * cells[step][at] + z[u] * z[2 * units + u];
                    h[at] = z[3 * units + u] * c[at].tanh();
                }
            }
            gates.push(z);
            cells.push(c);
            hidden.push(h);
        }
        Self { extents: [batch, steps, units], gates, cells, hidden }
    }
}

impl Registered for Lstm {
    fn samples() -> Vec<Sample> {
        let samples = samples().into_iter();
        samples
            .map(|(recurrence, shape)| {
                // Errors of a few units in every gate of every step add up.
                let sample = Sample::new(Self { recurrence }, CELL.sample_operands(recurrence, &shape)).tolerance(6.0);
                // The reserve has no derivative; `tests/lstm_derivative.rs` tries that of the other results.
                sample.not_differentiable()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(steps: Option<usize>) -> Vec<TensorType> {
        let shapes =
            [vec![None, steps, Some(2)], vec![Some(2), Some(12)], vec![Some(3), Some(12)], vec![Some(12)]].into_iter();
        let states = [vec![None, Some(3)], vec![None, Some(3)]];
        shapes.chain(states).map(|shape| TensorType::new(DType::Float32, shape)).collect()
    }

    #[test]
    fn carries_unknown_batch_and_steps() {
        let results = Lstm { recurrence: Recurrence::default() }.infer(&types(None)).unwrap();
        let shapes: Vec<String> = results.iter().map(TensorType::to_string).collect();
        let expected = ["float32[null, null, 3]", "float32[null, 3]", "float32[null, 3]", "float32[null, null]"];
        assert_eq!(shapes, expected);
    }

    #[test]
    fn names_the_operand_that_does_not_fit() {
        let mut operands = types(Some(4));
        operands[1].shape[0] = Some(5);
        let refused = Lstm { recurrence: Recurrence::default() }.infer(&operands);
        assert_eq!(refused.unwrap_err(), "kernel [I, 4U] of shape [2, 12]");
    }

    #[test]
    fn a_sequence_without_steps_is_refused() {
        let mut operands = types(Some(0));
        for operand in &mut operands {
            operand.shape.iter_mut().for_each(|extent| *extent = Some(extent.unwrap_or(1)));
        }
        let error = Lstm { recurrence: Recurrence::default() }.plan(&operands, &[]).unwrap_err();
        assert_eq!(error.to_string(), "lstm: expected at least 1 step in x [B, T, I], received float32[1, 0, 2]");
    }
}
