//! Sums, and their inverse: what broadcasting needs for its derivative.

use super::broadcast;
use ferrograph_graph::{
    Elementwise, Graph, GraphError, Op, Plan, Reference, RunContext, Step, TensorType, ValueId, indices,
};
use ferrograph_tensor::{DType, View, ViewMut};

/// The sum of all elements, shape `[]`; or with `like` the sum over the axes along which the second operand repeats.
#[derive(Clone, Debug)]
pub struct Total {
    /// Whether there is a second operand, of which only the shape is used.
    pub like: bool,
}

/// The first operand repeated to the shape of the second.
#[derive(Clone, Debug)]
pub struct Expand {}

impl Op for Total {
    fn name(&self) -> &'static str {
        "total"
    }

    fn attributes(&self) -> String {
        format!("{{\"like\":{}}}", self.like)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        match (operands, self.like) {
            ([x], false) => Ok(vec![TensorType::new(x.dtype, [])]),
            ([x, like], true) if like.rank() <= x.rank() => Ok(vec![like.clone()]),
            _ => Err("x, or x and like".into()),
        }
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Step(Box::new(TotalStep { from: operands[0].extents(), to: results[0].extents() })))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let mut of_operands = vec![None; operands.len()];
        if let Some(dy) = gradients[0] {
            of_operands[0] = Some(graph.apply(Expand {}, &[dy, operands[0]])?);
        }
        Ok(of_operands)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let to = results[0].extents();
        let mut sums = Reference::new(DType::Float32, &to, vec![0.0; to.iter().product()]);
        for (index, x) in indices(&operands[0].shape).iter().zip(&operands[0].data) {
            sums.data[offset(index, &to)] += x;
        }
        vec![sums]
    }

    fn reads(&self, index: usize) -> bool {
        index == 0
    }
}

/// Where in a tensor of shape `to` the element at `index` of a broader one is summed.
fn offset(index: &[usize], to: &[usize]) -> usize {
    let own = &index[index.len() - to.len()..];
    own.iter().zip(to).fold(0, |offset, (&i, &n)| offset * n + i.min(n - 1))
}

#[derive(Debug)]
struct TotalStep {
    from: Vec<usize>,
    to: Vec<usize>,
}

impl Step for TotalStep {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (x, y) = (context.inputs.f32(0), context.outputs.f32(0));
        y.fill(0.0);
        for (index, x) in indices(&self.from).iter().zip(x) {
            y[offset(index, &self.to)] += x;
        }
        Ok(())
    }
}

impl Op for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn attributes(&self) -> String {
        "{}".into()
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        match operands {
            [x, like] => broadcast(x, like).map(|ty| vec![TensorType { dtype: x.dtype, ..ty }]),
            _ => Err("x and like".into()),
        }
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Elementwise(Box::new(Identity)))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(graph.apply(Total { like: true }, &[dy, operands[0]])?), None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        vec![Reference::from_fn(results[0].dtype, &results[0].extents(), |index| operands[0].at_broadcast(index))]
    }

    fn reads(&self, index: usize) -> bool {
        index == 0
    }
}

#[derive(Debug)]
struct Identity;

impl Elementwise for Identity {
    fn run(&self, operands: &[View<'_>], mut result: ViewMut<'_>) {
        result.copy_from(operands[0]);
    }
}
