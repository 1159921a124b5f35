//! What follows from variables alone, computed once for each value of them and kept between runs: weights that a batch
//! normalization has gone into.

use crate::ProgramError;
use crate::arenas::Arenas;
use crate::fixed::fixed;
use crate::operands::read_together;
use crate::plan::Plan;
use crate::run::run;
use crate::simplify::{needed, simplify};
use ferrograph_graph::{Graph, GraphError, Node, Origin, Plan as OpPlan, TensorType, ValueId, Variable};
use ferrograph_tensor::{Shared, Tensor, byte_size};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The kept values of one program and how they are made. Each stands in the program's graph as a variable.
#[derive(Debug)]
pub(crate) struct Derived {
    plan: Plan,
    arenas: Arenas,
    /// The variables that the values follow from: the plan's inputs.
    pub sources: Vec<Arc<Variable>>,
    /// What holds the values: the plan's outputs.
    values: Vec<Arc<Variable>>,
    /// The versions of the sources that the values are made from.
    made: Mutex<Vec<u64>>,
}

impl Derived {
    /// Takes what follows from variables alone out of a graph; `None` if nothing is worth it. Values that are wanted
    /// themselves are made by each run.
    pub(crate) fn split(
        graph: &Graph,
        wanted: &[ValueId],
        updates: &[(Arc<Variable>, ValueId)],
    ) -> Result<Option<(Graph, Vec<ValueId>, Self)>, ProgramError> {
        let kept = kept(graph, wanted, updates);
        if kept.is_empty() || graph.inputs().is_empty() {
            return Ok(None);
        }
        let mut sources = Vec::new();
        let (alone, outputs) = alone(graph, &kept, &mut sources)?;
        let (tensors, made): (Vec<Tensor>, Vec<u64>) = read_together(&sources).into_iter().unzip();
        let shapes: Vec<&[usize]> = tensors.iter().map(Tensor::shape).collect();
        let plan = Plan::new(&alone, &outputs, &[], &shapes)?;
        let arenas = Arenas::default();
        let values = run(&plan, &[], &[], &tensors, &arenas, None)?;
        let values: Vec<_> = values.into_iter().map(|value| Arc::new(Variable::new("derived", value))).collect();
        let replaced = kept.into_iter().zip(values.iter().cloned()).collect();
        let (rest, wanted) = simplify(graph, wanted, &replaced)?;
        Ok(Some((rest, wanted, Self { plan, arenas, sources, values, made: Mutex::new(made) })))
    }

    /// Which of the values stands for this variable.
    pub(crate) fn index(&self, variable: &Variable) -> Option<usize> {
        self.values.iter().position(|value| value.id() == variable.id())
    }

    /// Bytes of the kept values.
    pub(crate) fn bytes(&self) -> usize {
        self.values.iter().map(|value| value.read_buffer().0.len()).sum()
    }

    /// Shows `read` the variables that hold what follows from these values of the sources; made now if it is not what is
    /// kept.
    pub(crate) fn get(
        &self,
        sources: &[Shared<'_>],
        versions: &[u64],
        read: impl FnOnce(&[Arc<Variable>]),
    ) -> Result<(), ProgramError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if *made != versions {
            let tensor = |(variable, value): (&Arc<Variable>, &Shared<'_>)| {
                Tensor::from_buffer(variable.dtype(), variable.shape(), value.to_buffer()?)
            };
            let inputs = self.sources.iter().zip(sources).map(tensor).collect::<Result<Vec<_>, _>>()?;
            // Until all are replaced they follow from no value of the sources.
            made.clear();
            let values = run(&self.plan, &[], &[], &inputs, &self.arenas, None)?;
            for (variable, value) in self.values.iter().zip(values) {
                if let Err(error) = variable.assign(value) {
                    unreachable!("the plan makes values of one type: {error}");
                }
            }
            made.extend(versions);
        }
        read(&self.values);
        Ok(())
    }
}

/// The values that the rest of the graph reads of what follows from variables alone.
fn kept(graph: &Graph, wanted: &[ValueId], updates: &[(Arc<Variable>, ValueId)]) -> Vec<ValueId> {
    let fixed = fixed(graph, updates);
    let worth = worth(graph);
    let mut read = vec![false; graph.value_count()];
    for id in wanted {
        read[id.index()] = true;
    }
    let mut kept = Vec::new();
    for node in graph.nodes().iter().rev() {
        let results = || node.results.iter().copied().filter(|id| read[id.index()]);
        let mut keep = results().peekable();
        if keep.peek().is_none() {
            continue;
        }
        let can_be = |id: ValueId| fixed[id.index()] && worth[id.index()] && !wanted.contains(&id);
        if keep.all(can_be) && !is_alias(graph, node) {
            kept.extend(results());
        } else {
            for id in &node.operands {
                read[id.index()] = true;
            }
        }
    }
    kept
}

/// By value: whether it is worth keeping. What follows from single numbers costs less than to look whether they have
/// changed, and what is larger than all it follows from more memory than it saves time.
fn worth(graph: &Graph) -> Vec<bool> {
    // By value: the bytes of the variables it follows from, and whether one has more than one element.
    let mut from = vec![(0usize, false); graph.value_count()];
    for (index, from) in from.iter_mut().enumerate() {
        if let Ok(id) = graph.value(index)
            && let Origin::Variable(variable) = graph.origin(id)
        {
            *from = (size(graph.ty(id)).unwrap_or(0), variable.shape().iter().any(|&extent| extent > 1));
        }
    }
    let mut worth = vec![false; graph.value_count()];
    for node in graph.nodes() {
        let operands = node.operands.iter().map(|id| from[id.index()]);
        let all = operands.fold((0usize, false), |a, b| (a.0.saturating_add(b.0), a.1 || b.1));
        for id in &node.results {
            from[id.index()] = all;
            worth[id.index()] = all.1 && size(graph.ty(*id)).is_some_and(|size| size <= all.0);
        }
    }
    worth
}

fn size(ty: &TensorType) -> Option<usize> {
    byte_size(ty.dtype, &ty.dims()?).ok()
}

fn is_alias(graph: &Graph, node: &Node) -> bool {
    let of = |ids: &[ValueId]| -> Vec<TensorType> { ids.iter().map(|id| graph.ty(*id).clone()).collect() };
    let (operands, results) = (of(&node.operands), of(&node.results));
    let known = operands.iter().chain(&results).all(|ty| ty.dims().is_some());
    known && matches!(node.op.plan(&operands, &results), Ok(OpPlan::Alias))
}

/// The graph that makes `kept`, and these values; the variables they follow from, which become inputs, go to `sources`.
fn alone(
    graph: &Graph,
    kept: &[ValueId],
    sources: &mut Vec<Arc<Variable>>,
) -> Result<(Graph, Vec<ValueId>), GraphError> {
    let needed = needed(graph, kept, &HashMap::new());
    let (mut to, mut values) = (Graph::new(), HashMap::new());
    for index in (0..graph.value_count()).filter(|&index| needed[index]) {
        let id = graph.value(index)?;
        let new = match graph.origin(id) {
            Origin::Variable(variable) => {
                sources.push(variable.clone());
                to.input(graph.ty(id).clone())
            }
            Origin::Constant(tensor) => to.constant(tensor.clone()),
            Origin::Input(_) | Origin::Node { .. } => continue,
        };
        values.insert(id, new);
    }
    for node in graph.nodes().iter().filter(|node| node.results.iter().any(|id| needed[id.index()])) {
        let operands: Vec<ValueId> = node.operands.iter().map(|id| values[id]).collect();
        let results = to.emit(node.op.clone(), &operands)?;
        values.extend(node.results.iter().copied().zip(results));
    }
    Ok((to, kept.iter().map(|id| values[id]).collect()))
}
