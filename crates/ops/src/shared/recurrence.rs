//! What the ops of recurrent layers share: attributes and the shape rule of their operands.

use super::operands::{dtype, rank};
use super::window::may_agree;
use crate::fill::Fill;
use ferrograph_graph::{
    Extent, Fill as Elements, Graph, GraphError, Op, Operand, Reference, TensorType, ValueId, format_shape,
};
use ferrograph_kernels::recurrence::RecurrentShape;
use ferrograph_tensor::{DType, element_count};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

/// What tells the cells apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Gates, whose columns the weights hold one after the other.
    pub(crate) gates: usize,
    /// Whether there are two biases, `[2, gates * U]`, one for the input and one for the state.
    pub(crate) two_biases: bool,
    /// The names of the first states.
    pub(crate) states: &'static [&'static str],
    /// Elements of the reserve.
    pub(crate) reserve_len: fn(&RecurrentShape) -> usize,
}

/// Extents of a recurrent op, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extents {
    cell: Cell,
    /// Sequences.
    pub(crate) batch: Extent,
    /// Steps.
    pub(crate) steps: Extent,
    /// Units.
    pub(crate) units: Extent,
}

/// A result of a forward op: its name and its type.
pub(crate) type Named = (&'static str, fn(&Extents) -> TensorType);

impl Extents {
    /// The type of what is made at each step, `[B, T, U]`.
    pub(crate) fn sequence(&self) -> TensorType {
        TensorType::new(DType::Float32, [self.batch, self.steps, self.units])
    }

    /// The type of the gradient of what is made at each step: `[B, T, U]`, or `[B, 0, U]` where nothing flows from it, as
    /// `received` has it.
    pub(crate) fn sequence_gradient(&self, received: &TensorType) -> TensorType {
        let steps = if received.shape.get(1) == Some(&Some(0)) { Some(0) } else { self.steps };
        TensorType::new(DType::Float32, [self.batch, steps, self.units])
    }

    /// The type of a state, `[B, U]`.
    pub(crate) fn state(&self) -> TensorType {
        TensorType::new(DType::Float32, [self.batch, self.units])
    }

    /// The type of what the gradient needs, `[B, K]`; `K` depends on the numbers of steps and units.
    pub(crate) fn reserve(&self) -> TensorType {
        let one = |(steps, units)| (self.cell.reserve_len)(&RecurrentShape { batch: 1, steps, input: 0, units });
        TensorType::new(DType::Float32, [self.batch, self.steps.zip(self.units).map(one)])
    }
}

impl Recurrence {
    /// The step of `x` that is processed as number `step`.
    pub(crate) fn source(self, steps: usize, step: usize) -> usize {
        if self.reverse { steps - 1 - step } else { step }
    }
}

impl Cell {
    /// How many operands the forward op has.
    pub(crate) fn operand_count(&self, recurrence: Recurrence) -> usize {
        4 + self.states.len() + usize::from(recurrence.masked)
    }

    /// The shape rule of `x` `[B, T, I]`, `kernel` `[I, GU]`, `recurrent` `[U, GU]`, `bias` `[GU]` or `[2, GU]`, the first
    /// states `[B, U]` and, where there is one, the mask `[B, T]`, for `G` gates. The error completes "expected ...".
    pub(crate) fn infer(self, recurrence: Recurrence, operands: &[TensorType]) -> Result<Extents, String> {
        let count = self.operand_count(recurrence);
        if operands.len() != count {
            return Err(format!("{count} operands"));
        }
        let biases = if self.two_biases { 2 } else { 1 };
        let states = self.states.iter().map(|name| (*name, 2));
        let ranks = [("x", 3), ("kernel", 2), ("recurrent", 2), ("bias", biases)].into_iter().chain(states);
        for ((name, axes), operand) in ranks.zip(operands) {
            dtype(name, operand, &[DType::Float32])?;
            rank(name, operand, axes)?;
        }
        let [x, kernel, recurrent, bias] = [0, 1, 2, 3].map(|i| &operands[i].shape);
        let first = &operands[4..4 + self.states.len()];
        let from_states = |axis: usize| first.iter().find_map(|state| state.shape[axis]);
        let units = recurrent[0].or_else(|| from_states(1));
        let gates = match units {
            Some(units) => Some(units.checked_mul(self.gates).ok_or("units that fit in memory")?),
            None => kernel[1].or(recurrent[1]).or(bias[biases - 1]),
        };
        let extents = Extents { cell: self, batch: x[0].or_else(|| from_states(0)), steps: x[1], units };
        let g = self.gates;
        let wanted_bias = if self.two_biases { vec![Some(2), gates] } else { vec![gates] };
        let mut wanted = vec![
            (format!("kernel [I, {g}U]"), kernel, vec![x[2], gates]),
            (format!("recurrent [U, {g}U]"), recurrent, vec![units, gates]),
            (format!("bias [{}{g}U]", if self.two_biases { "2, " } else { "" }), bias, wanted_bias),
        ];
        for (name, state) in self.states.iter().zip(first) {
            wanted.push((format!("{name} [B, U]"), &state.shape, vec![extents.batch, units]));
        }
        for (name, shape, wanted) in wanted {
            if !may_agree(shape, &wanted) {
                return Err(format!("{name} of shape {}", format_shape(&wanted)));
            }
        }
        if let Some(mask) = operands.get(4 + self.states.len()) {
            dtype("mask", mask, &[DType::Bool])?;
            if !may_agree(&mask.shape, &[extents.batch, extents.steps]) {
                return Err(format!("mask [B, T] of shape {}", format_shape(&[extents.batch, extents.steps])));
            }
        }
        Ok(extents)
    }

    /// The shape rule of the op that makes the gradients of the float operands, which it returns. Its operands: those of the
    /// forward op; what is `named` of the forward op's results; the reserve; and the gradients of the sequence,
    /// `[B, T, U]` or `[B, 0, U]`, and of the last states, `[B, U]`.
    pub(crate) fn infer_gradient(
        self,
        recurrence: Recurrence,
        operands: &[TensorType],
        named: &[Named],
        last: &[&str],
    ) -> Result<Vec<TensorType>, String> {
        let (count, first) = (self.operand_count(recurrence), named.len() + 2);
        if operands.len() != count + first + last.len() {
            return Err(format!("{} operands", count + first + last.len()));
        }
        let (forward, rest) = operands.split_at(count);
        let extents = self.infer(recurrence, forward)?;
        let mut wanted: Vec<_> = named.iter().map(|(name, of)| (*name, of(&extents))).collect();
        wanted.push(("reserve", extents.reserve()));
        wanted.push(("dsequence", extents.sequence_gradient(&rest[first - 1])));
        wanted.extend(last.iter().map(|name| (*name, extents.state())));
        for ((name, wanted), operand) in wanted.iter().zip(rest) {
            dtype(name, operand, &[DType::Float32])?;
            if !may_agree(&operand.shape, &wanted.shape) {
                return Err(format!("{name} {wanted}"));
            }
        }
        Ok(forward[..count - usize::from(recurrence.masked)].to_vec())
    }

    /// Whether a result keeps the entries of a batch apart: the sequence and the last states do. The reserve lies by steps.
    /// Weights are the same for all; states and the mask have the entries.
    pub(crate) fn keeps_entries_apart(&self, result: usize, batched: &[bool]) -> bool {
        result <= self.states.len() && batched.iter().enumerate().all(|(n, &batched)| batched != (1..4).contains(&n))
    }

    /// The derivative of the op of that name by `gradient`, whose operands [`Self::infer_gradient`] describes, with those of
    /// the results that are `named` there.
    pub(crate) fn vjp(
        &self,
        op: &'static str,
        gradient: impl Op + 'static,
        named: &[usize],
        graph: &mut Graph,
        (operands, results): (&[ValueId], &[ValueId]),
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let reserve = 1 + self.states.len();
        if gradients[reserve].is_some() {
            // Something other than the gradient reads the reserve.
            return Err(GraphError::NotDifferentiable { op });
        }
        let mut all = operands.to_vec();
        all.extend(named.iter().map(|&result| results[result]));
        all.push(results[reserve]);
        for result in 0..reserve {
            all.push(match gradients[result] {
                Some(gradient) => gradient,
                None => no_gradient(graph, result, results[result])?,
            });
        }
        let mut parts: Vec<_> = graph.emit(Arc::new(gradient), &all)?.into_iter().map(Some).collect();
        // None flows to the mask.
        parts.resize(operands.len(), None);
        Ok(parts)
    }

    /// The operands of a sample.
    pub(crate) fn sample_operands(&self, recurrence: Recurrence, shape: &RecurrentShape) -> Vec<Operand> {
        let RecurrentShape { batch, steps, input, units } = *shape;
        let columns = self.gates * units;
        let bias = if self.two_biases { vec![2, columns] } else { vec![columns] };
        let mut shapes = vec![vec![batch, steps, input], vec![input, columns], vec![units, columns], bias];
        shapes.extend(self.states.iter().map(|_| vec![batch, units]));
        // Small enough to keep most gates away from where they saturate.
        let mut operands: Vec<_> = shapes.iter().map(|shape| Operand::uniform(shape, -0.8, 0.8)).collect();
        if recurrence.masked {
            operands.push(Operand::values(DType::Bool, &[batch, steps], sample_mask(batch, steps)));
        }
        operands
    }

    /// The same with elements that are known, and the elements.
    pub(crate) fn known_operands(
        &self,
        recurrence: Recurrence,
        shape: &RecurrentShape,
    ) -> (Vec<Operand>, Vec<Reference>) {
        let operands = self.sample_operands(recurrence, shape).into_iter().enumerate();
        operands
            .map(|(seed, Operand { dtype, shape, fill })| {
                let elements = match fill {
                    Elements::Values(values) => values,
                    _ => scattered(&shape, seed),
                };
                (Operand::values(dtype, &shape, elements.clone()), Reference::new(dtype, &shape, elements))
            })
            .unzip()
    }
}

/// What a run of the f64 reference has made at each step, `[B, T, U]`, from the states before and after each step.
pub(crate) fn reference_sequence([batch, steps, units]: [usize; 3], hidden: &[Vec<f64>]) -> Reference {
    let at = |index: &[usize]| hidden[index[1] + 1][index[0] * units + index[2]];
    Reference::from_fn(DType::Float32, &[batch, steps, units], at)
}

/// The extents of operands that the shape rule has let pass. A sequence without steps has no last output.
pub(crate) fn known_extents(op: &'static str, operands: &[TensorType]) -> Result<RecurrentShape, GraphError> {
    let (x, units) = (operands[0].extents(), operands[2].extents()[0]);
    let [batch, steps, input] = [x[0], x[1], x[2]];
    if steps == 0 {
        let message = format!("expected at least 1 step in x [B, T, I], received {}", operands[0]);
        return Err(GraphError::Run { op, message });
    }
    let shape = RecurrentShape { batch, steps, input, units };
    // The kernel multiplies these.
    element_count(&[batch, steps, units.max(1), 8])?;
    Ok(shape)
}

/// The gradient of result `index`, of which 0 is the sequence, where nothing flows from it: zeros, and of a sequence no steps.
fn no_gradient(graph: &mut Graph, index: usize, result: ValueId) -> Result<ValueId, GraphError> {
    let shape = if index == 0 { vec![None, Some(0), None] } else { vec![None; 2] };
    graph.apply(Fill { value: 0.0, dtype: DType::Float32, shape }, &[result])
}

/// The attributes with shapes `[B, T, I]` and units, which between them reach every case.
pub(crate) fn samples() -> Vec<(Recurrence, RecurrentShape)> {
    let shape = |[batch, steps, input, units]: [usize; 4]| RecurrentShape { batch, steps, input, units };
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
fn sample_mask(batch: usize, steps: usize) -> Vec<f64> {
    let present = |b: usize, t: usize| b > 0 && !(t + b).is_multiple_of(3);
    (0..batch * steps).map(|i| f64::from(u8::from(present(i / steps, i % steps)))).collect()
}

/// Reproducible numbers between -0.8 and 0.8 that float32 holds exactly.
fn scattered(shape: &[usize], seed: usize) -> Vec<f64> {
    let count = element_count(shape).unwrap_or_default();
    (0..count)
        .map(|i| (((i + 1) * (2 * seed + 7919)) % 1639) as f64 / 1024.0 - 0.8)
        .map(|v| f64::from(v as f32))
        .collect()
}
