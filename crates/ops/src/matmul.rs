//! Matrix product.
//!
//! `y[.., i, j] = sum over p of a[.., i, p] * b[.., p, j]`, where `a` is `[.., m, k]` (`[.., k, m]` with `transposeA`), `b` is
//! `[.., k, n]` (`[.., n, k]` with `transposeB`) and `y` `[.., m, n]`. The axes before the last two broadcast as in NumPy; a
//! `b` of rank 2 is shared by all rows of `a`.
//!
//! Derivative, without transposes: `da = dy bᵀ`, `db = aᵀ dy`, each summed over the axes along which the operand was
//! broadcast.

use crate::registry::Registered;
use crate::reshape::Reshape;
use crate::shared::operands::{dtype, exactly};
use crate::shared::tolerance::sum_of_products;
use crate::shared::{Unpacked, affine, broadcast, entries, to_json, unbroadcast};
use ferrograph_graph::{
    Affine, Clamp, Consumer, Epilogue, Extent, Graph, GraphError, InParts, Op, Operand, Plan, Preparation, Reference,
    RunContext, Sample, Step, TensorType, ValueId, WithClamp, WithEpilogue,
};
use ferrograph_kernels::elementwise::Clamped;
use ferrograph_kernels::gemm::{self, Matrix};
use ferrograph_kernels::parallel::for_each_chunk;
use ferrograph_tensor::{DType, Inputs, View, element_count, strides};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Matmul {
    /// Whether the last two axes of `a` are swapped first.
    #[serde(default)]
    pub transpose_a: bool,
    /// Whether the last two axes of `b` are swapped first.
    #[serde(default)]
    pub transpose_b: bool,
}

/// Multiplications that one chunk of small products takes: some 10 us, enough to be worth handing to another thread.
const CHUNK_PRODUCTS: usize = 1 << 18;

/// Elements of a result that leaves the second-level cache before a loop of its own would read it: 1 MiB. It takes an
/// epilogue where its parts are finished in the cache. A smaller one takes it for the sake of bias and limits, which are
/// applied in registers: 2 % of a product of 32 rows.
const LARGE: usize = 1 << 18;

/// Elements of the gradient of a weight, at least, that is not kept if the weight's update alone reads it: 512 KiB. A smaller
/// one stays in the second-level cache.
const MIN_IN_PARTS: usize = 1 << 17;
/// Elements of `b` then, at most, since each part reads all of it: 1 MiB stays in the second-level cache.
const MAX_B: usize = 1 << 18;
/// Parts of such a gradient, at most.
const MAX_PARTS: usize = 64;

/// How many products one chunk takes.
fn products_together([m, k, n]: [usize; 3]) -> usize {
    (CHUNK_PRODUCTS / m.saturating_mul(k).saturating_mul(n).max(1)).max(1)
}

/// The extents of the last two axes, before which the batch axes stand.
fn matrix<T: Copy>(shape: &[T], transposed: bool) -> Option<(&[T], [T; 2])> {
    let (batch, &[rows, columns]) = shape.split_last_chunk()?;
    Some((batch, if transposed { [columns, rows] } else { [rows, columns] }))
}

impl Op for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [a, b] = exactly(operands)?;
        dtype("a", a, &[DType::Float32])?;
        dtype("b", b, &[DType::Float32])?;
        let (Some((a_batch, [m, k])), Some((b_batch, [k_of_b, n]))) =
            (matrix(&a.shape, self.transpose_a), matrix(&b.shape, self.transpose_b))
        else {
            return Err("operands of rank 2 or more".into());
        };
        if let (Some(k), Some(k_of_b)) = (k, k_of_b)
            && k != k_of_b
        {
            return Err(format!("as many columns of a as rows of b, not {k} and {k_of_b}"));
        }
        let mut shape: Vec<Extent> =
            broadcast(a_batch, b_batch).map_err(|e| format!("{e} before their last two axes"))?;
        shape.extend([m, n]);
        Ok(vec![TensorType::new(DType::Float32, shape)])
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        let shapes = [operands[0].extents(), operands[1].extents(), results[0].extents()];
        let [a, b, y] = shapes.each_ref().map(|shape| shape.split_at(shape.len() - 2));
        let [k, n] = if self.transpose_b { [b.1[1], b.1[0]] } else { [b.1[0], b.1[1]] };
        let (b_count, mut batch, mut m) = (element_count(b.0)?, element_count(y.0)?, y.1[0]);
        if b_count == 1 && !self.transpose_a {
            // All rows of all matrices of `a` meet the same `b`: one product.
            m = element_count(&shapes[2][..shapes[2].len() - 1])?;
            batch = 1;
        }
        let length = b_count.saturating_mul(gemm::packed_len(k, n));
        let stride = if self.transpose_a { m } else { 1 };
        let in_cache = products_together([m, k, n]) > 1 || gemm::finishes_by_rows(m, k, n, stride);
        let large = batch.saturating_mul(m).saturating_mul(n) >= LARGE;
        let takes_epilogue = if large { in_cache } else { batch == 1 };
        Ok(Plan::Step(Box::new(Product {
            transpose_a: self.transpose_a,
            transpose_b: self.transpose_b,
            extents: [m, k, n],
            batch,
            axes: batch_axes(a.0, b.0, y.0),
            packed: [Preparation { operand: 1, len: length }],
            takes_epilogue,
            parts: (batch == 1
                && self.transpose_a
                && m.saturating_mul(n) >= MIN_IN_PARTS
                && k.saturating_mul(n) <= MAX_B)
                .then(|| gemm::Parts::new(m, n, MAX_PARTS)),
        })))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        let [a, b] = [&operands[0], &operands[1]];
        let rank = a.rank().max(b.rank());
        if rank == 2 {
            // The entries are rows.
            return !self.transpose_a && entries::of_first_operand(batched);
        }
        [a, b].iter().zip(batched).all(|(operand, &batched)| operand.meets_entries(batched, rank))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; 2]) };
        let Self { transpose_a, transpose_b } = *self;
        let (a, b) = (operands[0], operands[1]);
        let product = |graph: &mut Graph, a, b, transpose_a, transpose_b| {
            graph.apply(Matmul { transpose_a, transpose_b }, &[a, b])
        };
        let da = if transpose_a {
            product(graph, b, dy, transpose_b, true)?
        } else {
            product(graph, dy, b, false, !transpose_b)?
        };
        let da = if graph.ty(b).rank() == 2 { da } else { unbroadcast(graph, da, a)? };
        let db = if let Some([a_columns, dy_columns]) = self.rows(graph, a, b)? {
            // The rows of all matrices of `a` at once, so that the sum over them is part of one product.
            let mut rows = |value, columns| graph.apply(Reshape { shape: vec![Some(-1), Some(columns)] }, &[value]);
            let (a, dy) = (rows(a, a_columns)?, rows(dy, dy_columns)?);
            let (left, right) = if transpose_b { (dy, a) } else { (a, dy) };
            product(graph, left, right, true, false)?
        } else {
            let db = if transpose_b {
                product(graph, dy, a, true, transpose_a)?
            } else {
                product(graph, a, dy, !transpose_a, false)?
            };
            unbroadcast(graph, db, b)?
        };
        Ok(vec![Some(da), Some(db)])
    }

    fn with_affine(&self, graph: &mut Graph, operands: &[ValueId], map: Affine) -> Result<Option<ValueId>, GraphError> {
        let rows = self.transpose_b.then(|| vec![Some(-1), Some(1)]);
        affine::absorbed(graph, self.clone(), operands, map, 1, rows)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let [a, b] = operands else { unreachable!("the shape rule counts operands") };
        let k = a.shape[a.shape.len() - if self.transpose_a { 2 } else { 1 }];
        let element = |x: &Reference, transposed: bool, batch: &[usize], row: usize, column: usize| {
            let last = if transposed { [column, row] } else { [row, column] };
            x.at_broadcast(&[batch, &last].concat())
        };
        let y = Reference::from_fn(DType::Float32, &results[0].extents(), |index| {
            let (batch, [i, j]) = index.split_last_chunk().unwrap_or((&[], &[0, 0]));
            let products =
                (0..k).map(|p| element(a, self.transpose_a, batch, *i, p) * element(b, self.transpose_b, batch, p, *j));
            products.sum()
        });
        vec![y]
    }
}

impl Matmul {
    /// The columns of `a` and of the result, if the gradient of `b` is one product over all rows.
    fn rows(&self, graph: &Graph, a: ValueId, b: ValueId) -> Result<Option<[i64; 2]>, GraphError> {
        let (a, b) = (graph.try_type(a)?, graph.try_type(b)?);
        if self.transpose_a || a.rank() == 2 || b.rank() != 2 {
            return Ok(None);
        }
        let columns = |extent: Extent| extent.filter(|&n| n > 0).and_then(|n| i64::try_from(n).ok());
        let [k, n] = if self.transpose_b { [b.shape[1], b.shape[0]] } else { [b.shape[0], b.shape[1]] };
        Ok(columns(k).zip(columns(n)).map(|(k, n)| [k, n]))
    }
}

/// For each batch axis of the result, its extent and the matrices of `a` and of `b` from one index to the next.
fn batch_axes(a: &[usize], b: &[usize], y: &[usize]) -> Vec<[usize; 3]> {
    let step = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(y.len()) {
        Some(own) if shape[own] != 1 => strides(shape)[own],
        _ => 0,
    };
    (0..y.len()).map(|axis| [y[axis], step(a, axis), step(b, axis)]).collect()
}

/// The products of pairs of matrices.
#[derive(Debug)]
struct Product {
    transpose_a: bool,
    transpose_b: bool,
    /// `m`, `k` and `n` of each product.
    extents: [usize; 3],
    /// How many products there are.
    batch: usize,
    /// See [`batch_axes`].
    axes: Vec<[usize; 3]>,
    packed: [Preparation; 1],
    /// Whether an epilogue is worth its cost.
    takes_epilogue: bool,
    /// How the result is made in parts, if that pays.
    parts: Option<gemm::Parts>,
}

impl Product {
    /// Which matrices of `a` and of `b` product `index` multiplies.
    fn operands(&self, index: usize) -> [usize; 2] {
        if self.batch == 1 {
            return [0, 0];
        }
        let mut rest = index;
        let mut operands = [0, 0];
        for [extent, of_a, of_b] in self.axes.iter().rev() {
            operands[0] += rest % extent * of_a;
            operands[1] += rest % extent * of_b;
            rest /= extent;
        }
        operands
    }

    /// One matrix of `a`.
    fn left<'a>(&self, a: &'a [f32]) -> Matrix<'a> {
        let [m, k, _] = self.extents;
        if self.transpose_a { Matrix::transposed(a, m) } else { Matrix::row_major(a, k) }
    }

    fn multiply(&self, mut context: RunContext<'_>, epilogue: Option<Epilogue<'_>>) {
        let (a, packed, y) = (context.inputs.f32(0), context.prepared.f32(0), context.outputs.f32(0));
        let [m, k, n] = self.extents;
        if k == 0 || y.is_empty() {
            y.fill(0.0);
            if let Some(epilogue) = epilogue {
                epilogue(0, y);
            }
            return;
        }
        let product = |index: usize, y: &mut [f32], epilogue: Option<Epilogue<'_>>| {
            let [of_a, of_b] = self.operands(index);
            let a = self.left(&a[of_a * m * k..][..m * k]);
            let length = gemm::packed_len(k, n);
            let b = &packed[of_b * length..][..length];
            match epilogue {
                Some(epilogue) => {
                    gemm::gemm_then(m, k, n, a, b, y, |start, part| epilogue(index * m * n + start, part));
                }
                None => gemm::gemm(m, k, n, a, b, y, n, false),
            }
        };
        // A large product is shared between threads by the kernel; small ones are dealt out whole.
        let together = products_together(self.extents);
        if together == 1 {
            y.chunks_exact_mut(m * n).enumerate().for_each(|(index, y)| product(index, y, epilogue));
        } else {
            for_each_chunk(y, together * m * n, |chunk, y| {
                let first = chunk * together;
                y.chunks_exact_mut(m * n).enumerate().for_each(|(index, y)| product(first + index, y, None));
                if let Some(epilogue) = epilogue {
                    epilogue(first * m * n, y);
                }
            });
        }
    }
}

impl WithEpilogue for Product {
    fn run_with_epilogue(&self, context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        self.multiply(context, Some(epilogue));
        Ok(())
    }
}

impl WithClamp for Product {
    fn run_with_clamp(&self, mut context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError> {
        let [m, k, n] = self.extents;
        let (a, y) = (self.left(context.inputs.f32(0)), context.outputs.f32(0));
        let Clamp { bias, low, high } = clamp;
        gemm::gemm_with(m, k, n, a, context.prepared.f32(0), y, n, false, Clamped { bias, low, high });
        Ok(())
    }
}

impl InParts for Product {
    fn part_len(&self) -> usize {
        self.parts.map_or(0, |parts| parts.part_len(self.extents[2]))
    }

    fn parts_scratch_len(&self) -> usize {
        self.parts.map_or(0, |parts| parts.scratch_len(self.extents[2]))
    }

    fn run_in_parts(
        &self,
        inputs: Inputs<'_>,
        prepared: Inputs<'_>,
        scratch: &mut [f32],
        consumer: &dyn Consumer,
    ) -> Result<(), GraphError> {
        let [m, k, n] = self.extents;
        let Some(parts) = self.parts else { unreachable!("asked for only where there are parts") };
        let (a, packed_b) = (self.left(inputs.f32(0)), prepared.f32(0));
        let (reads, consume) =
            (|start| consumer.reads(start), |start, piece: &mut [f32]| consumer.consume(start, piece));
        gemm::gemm_in_parts(m, k, n, a, packed_b, parts, scratch, &reads, &consume);
        Ok(())
    }
}

impl Step for Product {
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError> {
        self.multiply(context, None);
        Ok(())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        if self.takes_epilogue { Some(self) } else { None }
    }

    fn with_clamp(&self, channels: usize) -> Option<&dyn WithClamp> {
        if self.batch == 1 && channels == self.extents[2] { Some(self) } else { None }
    }

    fn in_parts(&self) -> Option<&dyn InParts> {
        if self.parts.is_some() { Some(self) } else { None }
    }

    fn preparations(&self) -> &[Preparation] {
        &self.packed
    }

    fn unprepared(&self) -> Option<Box<dyn Step>> {
        if self.transpose_a || self.batch != 1 {
            return None;
        }
        let unpacked = Unpacked::new(self.extents, self.transpose_b, self.takes_epilogue)?;
        Some(Box::new(unpacked))
    }

    fn preparation_key(&self, _index: usize) -> Option<String> {
        let ([_, k, n], transposed) = (self.extents, if self.transpose_b { "transposed" } else { "as it is" });
        // The number of matrices follows from the number of elements.
        Some(format!("gemm: {transposed}, {}", gemm::packed_layout(k, n)))
    }

    fn prepare(&self, _index: usize, operand: View<'_>, prepared: &mut [f32]) {
        let [_, k, n] = self.extents;
        let b = operand.f32();
        let length = gemm::packed_len(k, n);
        if b.is_empty() || length == 0 {
            return;
        }
        for_each_chunk(prepared, length, |index, packed| {
            let b = &b[index * k * n..][..k * n];
            let b = if self.transpose_b { Matrix::transposed(b, k) } else { Matrix::row_major(b, n) };
            gemm::pack(k, n, b, packed);
        });
    }
}

impl Registered for Matmul {
    fn samples() -> Vec<Sample> {
        let shapes: &[(&[usize], &[usize])] = &[
            // One matrix each.
            (&[3, 4], &[4, 5]),
            (&[1, 7], &[7, 1]),
            (&[17, 33], &[33, 35]),
            // Panels that are full at every instruction set, though not laid out alike.
            (&[2, 3], &[3, 32]),
            // One matrix for all rows.
            (&[2, 3, 4], &[4, 5]),
            (&[2, 1, 3, 4], &[1, 4, 2]),
            // Batches, broadcast either way.
            (&[2, 3, 4], &[2, 4, 5]),
            (&[2, 1, 3, 4], &[3, 4, 2]),
            (&[3, 4], &[2, 4, 5]),
            (&[1, 2, 3], &[4, 3, 2]),
            // Nothing to multiply, and nothing to make.
            (&[2, 0], &[0, 3]),
            (&[0, 3], &[3, 2]),
            (&[0, 2, 3], &[3, 2]),
        ];
        let mut samples = Vec::new();
        for (a, b) in shapes {
            for [transpose_a, transpose_b] in [[false, false], [true, false], [false, true], [true, true]] {
                let swapped = |shape: &[usize], swap: bool| {
                    let mut shape = shape.to_vec();
                    let rank = shape.len();
                    shape[rank - 2..].rotate_left(usize::from(swap));
                    Operand::normal(&shape)
                };
                let operands = [swapped(a, transpose_a), swapped(b, transpose_b)];
                let sample = Sample::new(Self { transpose_a, transpose_b }, operands);
                samples.push(sample.tolerance(sum_of_products(a[a.len() - 1])));
            }
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_graph::indices;

    fn infer(a: &[Extent], b: &[Extent]) -> Result<Vec<Extent>, String> {
        let [a, b] = [a, b].map(|shape| TensorType::new(DType::Float32, shape.iter().copied()));
        let op = Matmul { transpose_a: false, transpose_b: false };
        op.infer(&[a, b]).map(|mut results| results.remove(0).shape)
    }

    #[test]
    fn carries_unknown_extents() {
        assert_eq!(infer(&[None, Some(4)], &[Some(4), Some(2)]), Ok(vec![None, Some(2)]));
        assert_eq!(infer(&[None, None, None], &[None, Some(2)]), Ok(vec![None, None, Some(2)]));
        assert_eq!(infer(&[None, Some(3), Some(4)], &[Some(7), None, None]), Ok(vec![Some(7), Some(3), None]));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let error = infer(&[None, Some(4)], &[Some(5), Some(2)]).unwrap_err();
        assert_eq!(error, "as many columns of a as rows of b, not 4 and 5");
        assert!(infer(&[Some(4)], &[Some(4), Some(2)]).is_err());
        assert!(infer(&[Some(2), Some(1), Some(4)], &[Some(3), Some(4), Some(2)]).is_err());
    }

    #[test]
    fn every_result_finds_its_operands() {
        let y = [2, 3, 1];
        let product = Product {
            transpose_a: false,
            transpose_b: false,
            extents: [1; 3],
            batch: 6,
            axes: batch_axes(&[2, 1, 1], &[3, 1], &y),
            packed: [Preparation { operand: 1, len: 0 }],
            takes_epilogue: false,
            parts: None,
        };
        let expected: Vec<[usize; 2]> = indices(&y).iter().map(|index| [index[0], index[1]]).collect();
        assert_eq!((0..6).map(|index| product.operands(index)).collect::<Vec<_>>(), expected);
    }
}
