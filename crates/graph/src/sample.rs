//! Sample operands that every op brings for the tests that run over all ops.

use crate::Op;
use ferrograph_tensor::DType;
use std::sync::Arc;

/// One op with operands to try it on.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The op with its attributes.
    pub op: Arc<dyn Op>,
    /// Its operands.
    pub operands: Vec<Operand>,
    /// The largest error of a float32 result, in units of 2^-24 times max(1, |reference|); reasons belong beside a large
    /// one.
    pub tolerance: f64,
    /// Whether the derivative is held against central differences.
    pub differentiable: bool,
    /// float32 results through which no gradient flows, because only the op's own derivative reads them.
    pub opaque: Vec<usize>,
}

/// A made-up operand.
#[derive(Clone, Debug)]
pub struct Operand {
    /// Element type.
    pub dtype: DType,
    /// Extents.
    pub shape: Vec<usize>,
    /// Its elements.
    pub fill: Fill,
}

/// How a made-up operand is filled; seeded, so the same every time.
#[derive(Clone, Debug)]
pub enum Fill {
    /// Standard normal, no closer than 0.05 to zero: most kinks lie there.
    Normal,
    /// Uniform between two bounds.
    Uniform(f64, f64),
    /// Whole numbers, both bounds included.
    Integers(i32, i32),
    /// Different numbers in random order, 0.1 apart and more: no ties.
    Distinct,
    /// These very elements.
    Values(Vec<f64>),
}

impl Sample {
    /// A differentiable op, compared within 4 units.
    pub fn new(op: impl Op + 'static, operands: impl IntoIterator<Item = Operand>) -> Self {
        let operands = operands.into_iter().collect();
        Self { op: Arc::new(op), operands, tolerance: 4.0, differentiable: true, opaque: Vec::new() }
    }

    /// With another tolerance.
    #[must_use]
    pub fn tolerance(mut self, units: f64) -> Self {
        self.tolerance = units;
        self
    }

    /// With a result that only the op's own derivative reads.
    #[must_use]
    pub fn opaque(mut self, result: usize) -> Self {
        self.opaque.push(result);
        self
    }

    /// Without a derivative.
    #[must_use]
    pub fn not_differentiable(mut self) -> Self {
        self.differentiable = false;
        self
    }
}

impl Operand {
    /// float32, standard normal.
    pub fn normal(shape: &[usize]) -> Self {
        Self { dtype: DType::Float32, shape: shape.to_vec(), fill: Fill::Normal }
    }

    /// float32, uniform.
    pub fn uniform(shape: &[usize], low: f64, high: f64) -> Self {
        Self { dtype: DType::Float32, shape: shape.to_vec(), fill: Fill::Uniform(low, high) }
    }

    /// float32, all different.
    pub fn distinct(shape: &[usize]) -> Self {
        Self { dtype: DType::Float32, shape: shape.to_vec(), fill: Fill::Distinct }
    }

    /// int32, uniform, both bounds included.
    pub fn integers(shape: &[usize], low: i32, high: i32) -> Self {
        Self { dtype: DType::Int32, shape: shape.to_vec(), fill: Fill::Integers(low, high) }
    }

    /// bool, half of them true.
    pub fn booleans(shape: &[usize]) -> Self {
        Self { dtype: DType::Bool, shape: shape.to_vec(), fill: Fill::Integers(0, 1) }
    }

    /// These elements.
    pub fn values(dtype: DType, shape: &[usize], values: impl Into<Vec<f64>>) -> Self {
        Self { dtype, shape: shape.to_vec(), fill: Fill::Values(values.into()) }
    }
}
