//! Values and the nodes that make them.

use crate::{GraphError, Op, TensorType, Variable};
use ferrograph_tensor::{DType, Tensor, View};
use std::collections::HashMap;
use std::sync::Arc;

/// A value of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(u32);

impl ValueId {
    /// The value's place in the graph's list.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The caller of a run gives it; inputs are numbered in the order they were added.
    Input(usize),
    /// The variable's value when the run begins.
    Variable(Arc<Variable>),
    /// Known once and for all.
    Constant(Tensor),
    /// Result `result` of node `node`.
    Node {
        /// Index of the node.
        node: usize,
        /// Which of its results.
        result: usize,
    },
}

/// One use of an op.
#[derive(Clone, Debug)]
pub struct Node {
    /// The op with its attributes.
    pub op: Arc<dyn Op>,
    /// What it is applied to.
    pub operands: Vec<ValueId>,
    /// What it makes.
    pub results: Vec<ValueId>,
}

#[derive(Clone, Debug)]
struct Value {
    ty: TensorType,
    origin: Origin,
}

/// A computation: nodes in an order in which each comes after the makers of its operands.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    values: Vec<Value>,
    nodes: Vec<Node>,
    inputs: Vec<ValueId>,
    variables: HashMap<u64, ValueId>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input.
    pub fn input(&mut self, ty: TensorType) -> ValueId {
        let id = self.add(ty, Origin::Input(self.inputs.len()));
        self.inputs.push(id);
        id
    }

    /// The value a variable has when a run begins; the same value however often it is asked for.
    pub fn variable(&mut self, variable: &Arc<Variable>) -> ValueId {
        if let Some(&id) = self.variables.get(&variable.id()) {
            return id;
        }
        let ty = TensorType::known(variable.dtype(), variable.shape());
        let id = self.add(ty, Origin::Variable(variable.clone()));
        self.variables.insert(variable.id(), id);
        id
    }

    /// Adds a constant.
    pub fn constant(&mut self, value: Tensor) -> ValueId {
        self.add(TensorType::known(value.dtype(), value.shape()), Origin::Constant(value))
    }

    /// Adds a float32 constant of shape `[]`.
    pub fn scalar(&mut self, value: f32) -> Result<ValueId, GraphError> {
        Ok(self.constant(Tensor::scalar(value)?))
    }

    /// Adds an int32 constant of shape `[]`.
    pub fn integer(&mut self, value: i32) -> Result<ValueId, GraphError> {
        Ok(self.constant(Tensor::new(DType::Int32, &[], View::I32(&[value]))?))
    }

    /// Applies an op; its shape rule answers.
    pub fn emit(&mut self, op: Arc<dyn Op>, operands: &[ValueId]) -> Result<Vec<ValueId>, GraphError> {
        let types = operands.iter().map(|&id| self.try_type(id).cloned()).collect::<Result<Vec<_>, _>>()?;
        let result_types =
            op.infer(&types).map_err(|expected| GraphError::Operands { op: op.name(), expected, received: types })?;
        let node = self.nodes.len();
        let results: Vec<ValueId> = result_types
            .into_iter()
            .enumerate()
            .map(|(result, ty)| self.add(ty, Origin::Node { node, result }))
            .collect();
        self.nodes.push(Node { op, operands: operands.to_vec(), results: results.clone() });
        Ok(results)
    }

    /// Applies an op that has one result.
    pub fn apply(&mut self, op: impl Op + 'static, operands: &[ValueId]) -> Result<ValueId, GraphError> {
        let results = self.emit(Arc::new(op), operands)?;
        Ok(results[0])
    }

    /// The type of a value.
    ///
    /// # Panics
    /// When the value is of another graph; [`Self::try_type`] answers for values that a caller chose.
    pub fn ty(&self, id: ValueId) -> &TensorType {
        &self.values[id.index()].ty
    }

    /// The type of a value, if it is one of this graph.
    pub fn try_type(&self, id: ValueId) -> Result<&TensorType, GraphError> {
        self.values.get(id.index()).map(|v| &v.ty).ok_or(GraphError::UnknownValue(id))
    }

    /// The value at that place of the list.
    pub fn value(&self, index: usize) -> Result<ValueId, GraphError> {
        let id = ValueId(u32::try_from(index).unwrap_or(u32::MAX));
        self.try_type(id).map(|_| id)
    }

    /// Where a value comes from.
    ///
    /// # Panics
    /// When the value is of another graph.
    pub fn origin(&self, id: ValueId) -> &Origin {
        &self.values[id.index()].origin
    }

    /// The nodes in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The inputs in order.
    pub fn inputs(&self) -> &[ValueId] {
        &self.inputs
    }

    /// How many values there are.
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    fn add(&mut self, ty: TensorType, origin: Origin) -> ValueId {
        let id = ValueId(u32::try_from(self.values.len()).expect("a graph holds at most 2^32 values"));
        self.values.push(Value { ty, origin });
        id
    }
}
