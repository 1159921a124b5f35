//! What the pooling ops share: attributes and shape rule.

use super::window::{Geometry, Padding, Window, image_extents, may_agree};
use ferrograph_graph::{GraphError, Reference, TensorType, format_shape};
use ferrograph_kernels::pooling::PoolShape;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Attributes of every pooling op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pooling {
    /// Cells of a window along height and width.
    pub pool_size: [usize; 2],
    /// Cells from one window to the next.
    pub strides: [usize; 2],
    /// What is laid around the input, `'valid'` unless said otherwise. Explicit amounts are less than the pool, so that
    /// every window holds a cell of the input.
    #[serde(default)]
    pub padding: Padding,
}

impl Pooling {
    /// Attributes of a sample.
    pub(crate) fn new(pool_size: [usize; 2], strides: [usize; 2], padding: Padding) -> Self {
        Self { pool_size, strides, padding }
    }

    fn window(&self) -> Window {
        let Self { pool_size, strides, padding } = *self;
        Window { word: "pool", size: pool_size.map(Some), strides, dilation: [1, 1], padding }
    }

    /// The shape rule: `y` `[N, H', W', C]` for `x` `[N, H, W, C]`. The error completes "expected ...".
    pub(crate) fn output(&self, name: &str, x: &TensorType) -> Result<TensorType, String> {
        let [n, height, width, channels] = image_extents(name, x)?;
        if let Padding::Explicit(amounts) = self.padding
            && (0..2).any(|axis| amounts[axis].iter().any(|&n| n >= self.pool_size[axis]))
        {
            return Err(format!("padding smaller than the pool {:?}, not {}", self.pool_size, self.padding));
        }
        let [rows, columns] = self.window().output([height, width])?;
        Ok(TensorType::new(DType::Float32, [n, rows, columns, channels]))
    }

    /// That `y`, called `name`, may be the shape of what the pool makes of `x`.
    pub(crate) fn check_output(&self, x: &TensorType, name: &str, y: &TensorType) -> Result<(), String> {
        let expected = self.output("x", x)?;
        if y.dtype == DType::Float32 && may_agree(&y.shape, &expected.shape) {
            return Ok(());
        }
        Err(format!("{name} float32{}", format_shape(&expected.shape)))
    }

    /// The extents for the kernels.
    pub(crate) fn shape(&self, op: &'static str, x: &TensorType) -> Result<PoolShape, GraphError> {
        let extents = x.extents();
        let geometry = self.over(&extents).map_err(|e| GraphError::Run { op, message: format!("expected {e}") })?;
        Ok(PoolShape {
            batch: extents[0],
            input: geometry.input,
            output: geometry.output,
            channels: extents[3],
            size: geometry.size,
            strides: geometry.strides,
            before: geometry.padding.map(|[before, _]| before),
        })
    }

    /// The windows over an input of known extents.
    fn over(&self, extents: &[usize]) -> Result<Geometry, String> {
        self.window().over([extents[1], extents[2]])
    }

    /// For every element of the output, in order, the indices of the input elements below it, in row-major order.
    pub(crate) fn windows(&self, x: &Reference) -> Vec<Vec<[usize; 4]>> {
        let geometry = self.over(&x.shape).unwrap_or_else(|e| unreachable!("expected {e}"));
        let mut all = Vec::new();
        for n in 0..x.shape[0] {
            for i in 0..geometry.output[0] {
                for j in 0..geometry.output[1] {
                    let cells = geometry.cells(i, j);
                    all.extend((0..x.shape[3]).map(|c| cells.iter().map(|&(_, [h, w])| [n, h, w, c]).collect()));
                }
            }
        }
        all
    }

    /// For every element of the output, the index of the first largest input element below it; the first NaN wins.
    pub(crate) fn winners(&self, x: &Reference) -> Vec<[usize; 4]> {
        let better = |a: f64, b: f64| a > b || (a.is_nan() && !b.is_nan());
        let first = |window: Vec<[usize; 4]>| {
            let mut cells = window.into_iter();
            let head = cells.next().unwrap_or_default();
            cells.fold(head, |best, cell| if better(x.at(&cell), x.at(&best)) { cell } else { best })
        };
        self.windows(x).into_iter().map(first).collect()
    }

    /// Attributes and input shapes that between them reach every case.
    pub(crate) fn samples() -> Vec<(Self, [usize; 4])> {
        vec![
            (Self::new([2, 2], [2, 2], Padding::Valid), [2, 4, 6, 3]),
            (Self::new([3, 2], [2, 1], Padding::Valid), [1, 7, 5, 2]),
            (Self::new([3, 3], [2, 2], Padding::Same), [2, 5, 6, 1]),
            (Self::new([2, 3], [1, 1], Padding::Same), [1, 3, 4, 2]),
            (Self::new([4, 5], [3, 3], Padding::Same), [1, 1, 2, 1]),
            (Self::new([1, 1], [3, 2], Padding::Valid), [1, 4, 4, 5]),
            (Self::new([3, 3], [2, 1], Padding::Explicit([[1, 2], [2, 0]])), [2, 4, 3, 2]),
            (Self::new([2, 2], [2, 2], Padding::Same), [1, 3, 3, 70]),
            (Self::new([2, 2], [1, 1], Padding::Valid), [0, 3, 3, 2]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_unknown_extents() {
        let pooling = Pooling::new([2, 2], [2, 2], Padding::Same);
        let output = |shape: [Option<usize>; 4]| {
            pooling.output("x", &TensorType::new(DType::Float32, shape)).map(|y| format_shape(&y.shape))
        };
        assert_eq!(output([None, None, Some(5), Some(3)]).unwrap(), "[null, null, 3, 3]");
        assert_eq!(output([None, Some(28), None, None]).unwrap(), "[null, 14, null, null]");
    }

    #[test]
    fn a_window_of_padding_alone_is_refused() {
        let x = TensorType::known(DType::Float32, &[1, 4, 4, 1]);
        let pooling = |amount| Pooling::new([2, 2], [2, 2], Padding::Explicit([[0, amount], [0, 0]]));
        assert!(pooling(1).output("x", &x).is_ok());
        assert_eq!(
            pooling(2).output("x", &x).unwrap_err(),
            "padding smaller than the pool [2, 2], not [[0, 2], [0, 0]]"
        );
    }
}
