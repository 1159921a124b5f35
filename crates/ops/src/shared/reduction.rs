//! Reductions over a set of axes: `[*S] -> [*S without the axes]`, or with extents of 1 there if `keepdims`.

use super::axes::{check_axes, resolved_axes};
use super::elementwise::Element;
use super::step::step_with_scratch;
use super::{operands, step};
use crate::broadcast_like::BroadcastLike;
use crate::cast::Cast;
use crate::divide::Divide;
use crate::equal::Equal;
use crate::expand_dims::ExpandDims;
use crate::multiply::Multiply;
use crate::sum::Sum;
use ferrograph_graph::{Extent, Graph, GraphError, Plan, Reference, TensorType, ValueId};
use ferrograph_kernels::reduce::{Groups, Reducer, reduce, scratch_len};
use ferrograph_tensor::{DType, element_count};

/// The axes of a reduction, as its attributes say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes<'a> {
    /// Which; `None` is all.
    pub(crate) axes: Option<&'a [i64]>,
    /// Whether the result keeps them with extent 1.
    pub(crate) keepdims: bool,
}

impl Axes<'_> {
    /// The shape rule: one operand of one of `dtypes`; the result has its type.
    pub(crate) fn infer(self, operands: &[TensorType], dtypes: &[DType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        operands::dtype("an operand", x, dtypes)?;
        Ok(vec![TensorType::new(x.dtype, self.shape(&x.shape)?)])
    }

    /// The shape rule of what is not defined for no elements.
    pub(crate) fn infer_not_empty(self, operands: &[TensorType], dtypes: &[DType]) -> Result<Vec<TensorType>, String> {
        let result = self.infer(operands, dtypes)?;
        let x = &operands[0].shape;
        if check_axes(self.axes, x.len())?.iter().zip(x).any(|(&reduced, &extent)| reduced && extent == Some(0)) {
            return Err("at least one element along the axes".to_owned());
        }
        Ok(result)
    }

    fn shape(self, x: &[Extent]) -> Result<Vec<Extent>, String> {
        let reduced = check_axes(self.axes, x.len())?;
        let extents = x.iter().zip(reduced);
        Ok(extents
            .filter_map(|(&n, reduced)| if reduced { self.keepdims.then_some(Some(1)) } else { Some(n) })
            .collect())
    }

    /// How the kernel sees the operand.
    pub(crate) fn groups(self, x: &TensorType) -> Result<Groups, GraphError> {
        groups(&x.extents(), &resolved_axes(self.axes, x.rank()))
    }

    /// A value of the result's shape with the reduced axes put back, so that it broadcasts to the operand.
    pub(crate) fn restore(self, graph: &mut Graph, value: ValueId, operand: ValueId) -> Result<ValueId, GraphError> {
        let reduced = resolved_axes(self.axes, graph.ty(operand).rank());
        if self.keepdims || !reduced.contains(&true) {
            return Ok(value);
        }
        let axes = (0..).zip(reduced).filter_map(|(axis, reduced)| reduced.then_some(axis)).collect();
        graph.apply(ExpandDims { axes }, &[value])
    }

    /// The gradient of max and min: shared evenly by the elements that are equal to the result.
    pub(crate) fn extremum_vjp(
        self,
        graph: &mut Graph,
        x: ValueId,
        y: ValueId,
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None]) };
        let (y, dy) = (self.restore(graph, y, x)?, self.restore(graph, dy, x)?);
        let hits = graph.apply(Equal {}, &[x, y])?;
        let hits = graph.apply(Cast { dtype: DType::Float32 }, &[hits])?;
        let count = graph.apply(Sum { axes: self.axes.map(<[i64]>::to_vec), keepdims: true }, &[hits])?;
        let share = graph.apply(Divide {}, &[dy, count])?;
        Ok(vec![Some(graph.apply(Multiply {}, &[hits, share])?)])
    }

    /// The gradient of a sum: the same for every element.
    pub(crate) fn spread(self, graph: &mut Graph, dy: ValueId, x: ValueId) -> Result<ValueId, GraphError> {
        let dy = self.restore(graph, dy, x)?;
        graph.apply(BroadcastLike {}, &[dy, x])
    }

    /// `f` of the elements that belong to each result.
    pub(crate) fn reference(
        self,
        operands: &[Reference],
        results: &[TensorType],
        f: impl Fn(&[f64]) -> f64,
    ) -> Vec<Reference> {
        let (x, result) = (&operands[0], &results[0]);
        let reduced = resolved_axes(self.axes, x.shape.len());
        let mut folded = vec![Vec::new(); result.extents().iter().product()];
        for (index, value) in ferrograph_graph::indices(&x.shape).iter().zip(&x.data) {
            let kept = (0..reduced.len()).filter(|&axis| !reduced[axis]);
            folded[kept.fold(0, |place, axis| place * x.shape[axis] + index[axis])].push(*value);
        }
        let data = folded.iter().map(|values| super::wrap(result.dtype, f(values))).collect();
        vec![Reference::new(result.dtype, &result.extents(), data)]
    }
}

/// How the kernel sees a shape.
pub(crate) fn groups(shape: &[usize], reduced: &[bool]) -> Result<Groups, GraphError> {
    element_count(shape)?;
    Ok(Groups::new(shape, reduced))
}

/// A reduction of the only operand that is read.
pub(crate) fn plan<R: Reducer + 'static>(reducer: R, groups: Groups) -> Plan
where
    R::Element: Element,
{
    if groups.is_identity() {
        return Plan::Alias;
    }
    step_with_scratch(scratch_len(&groups), move |mut c| {
        let x = R::Element::read(c.inputs.view(0));
        reduce(reducer, x, &groups, R::Element::write(c.outputs.view(0)), c.scratch);
        Ok(())
    })
}

/// The place of the best element along one axis, as an int32; `better` says whether the first is better than the
/// second.
pub(crate) fn plan_arg(x: &TensorType, axis: usize, largest: bool) -> Result<Plan, GraphError> {
    use ferrograph_kernels::reduce::{arg_max_f32, arg_max_i32, arg_min_f32, arg_min_i32};
    let split = super::axes::split_at(&x.extents(), axis)?;
    let is_float = x.dtype == DType::Float32;
    Ok(step(move |mut c| {
        let (x, y) = (c.inputs.view(0), c.outputs.i32(0));
        match (is_float, largest) {
            (true, true) => arg_max_f32(x.f32(), split.extent, split.inner, y),
            (true, false) => arg_min_f32(x.f32(), split.extent, split.inner, y),
            (false, true) => arg_max_i32(x.i32(), split.extent, split.inner, y),
            (false, false) => arg_min_i32(x.i32(), split.extent, split.inner, y),
        }
        Ok(())
    }))
}
