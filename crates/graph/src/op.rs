//! What an op is: a shape rule, a plan, a derivative and a reference.

use crate::{Affine, Elementwise, Graph, GraphError, Reference, Step, TensorType, ValueId};
use std::fmt::Debug;
use std::sync::Arc;

/// A primitive of the graph. One value of the implementing type is one op with its attributes.
pub trait Op: Debug + Send + Sync {
    /// The op's name: snake case, the same as its file and as in the text form.
    fn name(&self) -> &'static str;

    /// The attributes as a JSON object, for the text form and to tell equal ops from different ones.
    fn attributes(&self) -> String;

    /// The shape rule: the types of the results for these operands. The same rule runs with unknown extents while a
    /// model is defined and with known ones when a plan is made; on known operands the results must be known.
    ///
    /// An error says only what was *expected* ("rank 4 [N, H, W, C]"); the graph knows what was received.
    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String>;

    /// How the op is computed for concrete operands; every extent is known.
    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError>;

    /// The derivative, written as ops: for each operand the gradient of the loss with respect to it, or `None` where
    /// none flows. `gradients` has one entry for each result, `None` where the loss does not depend on it.
    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError>;

    /// The plainest statement of what is computed, in f64, with loops. Tests hold the kernels against it.
    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference>;

    /// Whether the data of operand `index` is used; `false` when only its shape is, so that its memory may be reused.
    fn reads(&self, index: usize) -> bool {
        let _ = index;
        true
    }

    /// Whether entry `i` along the first axis of `result` follows from entry `i` of the operands that are `batched` and from
    /// all of the others, in the same way for any number of entries. The executor may then compute a batch in parts. At
    /// least one operand is batched. Ops that are planned as [`Plan::Elementwise`] or [`Plan::Alias`] are not asked.
    fn keeps_entries_apart(&self, result: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        let _ = (result, batched, operands);
        false
    }

    /// If the op is an affine map of operand 0 along its last axis, written with the other operands: that map after
    /// `before`, added to the graph.
    fn affine(&self, graph: &mut Graph, operands: &[ValueId], before: Affine) -> Result<Option<Affine>, GraphError> {
        let _ = (graph, operands, before);
        Ok(None)
    }

    /// The result under `map`, with the scale in an operand other than 0, if the result is linear in such a one: its
    /// weights. Equal but for rounding; the executor asks for it where the scaled weights can be kept from run to run.
    fn with_affine(&self, graph: &mut Graph, operands: &[ValueId], map: Affine) -> Result<Option<ValueId>, GraphError> {
        let _ = (graph, operands, map);
        Ok(None)
    }

    /// If the op lays zeros around operand 0: how many elements before and after, for each axis.
    fn border(&self) -> Option<&[[usize; 2]]> {
        None
    }

    /// The op that makes the same of operand 0 without a border of zeros as this one with it, if there is such a one. The
    /// executor asks for it where nobody else reads the border.
    fn with_border(&self, border: &[[usize; 2]]) -> Option<Arc<dyn Op>> {
        let _ = border;
        None
    }
}

/// How an op is computed.
#[derive(Debug)]
pub enum Plan {
    /// A kernel over whole operands.
    Step(Box<dyn Step>),
    /// A function of corresponding elements: the executor broadcasts the operands and runs neighbours in one loop.
    Elementwise(Box<dyn Elementwise>),
    /// The only result has the bytes of operand 0 under another shape: nothing to do.
    Alias,
}
