//! What the ops of a convolution of each channel on its own share: attributes and shape rule.

use super::Convolution;
use super::window::{Padding, Window, image_extents, may_agree};
use ferrograph_graph::{GraphError, TensorType, format_shape};
use ferrograph_kernels::conv::ConvShape;
use ferrograph_tensor::{DType, byte_size};
use serde::{Deserialize, Serialize};

/// Attributes of every depthwise convolution op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Depthwise {
    /// Cells from one window to the next, along height and width.
    #[serde(default = "ones")]
    pub strides: [usize; 2],
    /// What is laid around the input.
    #[serde(default)]
    pub padding: Padding,
    /// Cells from one tap of the kernel to the next.
    #[serde(default = "ones")]
    pub dilation: [usize; 2],
}

fn ones() -> [usize; 2] {
    [1, 1]
}

/// A depthwise convolution whose extents are all known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The extents for the kernels.
    pub(crate) shape: ConvShape,
    /// Whether any operand or result is empty, so that there is nothing to multiply.
    pub(crate) empty: bool,
}

/// Attributes, and the shapes of `x`, the kernel and `y`.
type Extents = (Depthwise, [usize; 4], [usize; 4], Vec<usize>);

impl Depthwise {
    fn window(&self, kernel: &TensorType) -> Window {
        let Self { strides, padding, dilation } = *self;
        Window { word: "kernel", size: [kernel.shape[0], kernel.shape[1]], strides, dilation, padding }
    }

    /// The shape rule: `y` `[N, H', W', C * M]` for `x` `[N, H, W, C]` and a kernel `[kh, kw, C, M]`. The error completes
    /// "expected ...".
    pub(crate) fn output(&self, x: &TensorType, kernel: &TensorType) -> Result<TensorType, String> {
        let [n, height, width, channels] = image_extents("x", x)?;
        if kernel.dtype != DType::Float32 || kernel.rank() != 4 {
            return Err("kernel float32 of rank 4 [height, width, channels, multiplier]".into());
        }
        let (kernels, multiplier) = (kernel.shape[2], kernel.shape[3]);
        if !may_agree(&[channels], &[kernels]) {
            let [channels, kernels] = [channels, kernels].map(Option::unwrap_or_default);
            return Err(format!("a kernel for {channels} channels, not for {kernels}"));
        }
        let filters = match (channels.or(kernels), multiplier) {
            (Some(channels), Some(multiplier)) => {
                let filters = channels.checked_mul(multiplier);
                Some(filters.ok_or_else(|| format!("fewer filters than {channels} channels by {multiplier}"))?)
            }
            _ => None,
        };
        let [rows, columns] = self.window(kernel).output([height, width])?;
        Ok(TensorType::new(DType::Float32, [n, rows, columns, filters]))
    }

    /// That `dy` may be the gradient of what the convolution makes of `x` and `kernel`.
    pub(crate) fn check_output(&self, x: &TensorType, kernel: &TensorType, dy: &TensorType) -> Result<(), String> {
        let expected = self.output(x, kernel)?;
        if dy.dtype == DType::Float32 && may_agree(&dy.shape, &expected.shape) {
            return Ok(());
        }
        Err(format!("dy float32{}", format_shape(&expected.shape)))
    }

    /// The convolution of operands that the shape rule has let pass.
    pub(crate) fn bind(&self, op: &'static str, x: &TensorType, kernel: &TensorType) -> Result<Bound, GraphError> {
        let refused = |e: String| GraphError::Run { op, message: format!("expected {e}") };
        let y = self.output(x, kernel).map_err(refused)?;
        let (x, k, y) = (x.extents(), kernel.extents(), y.extents());
        let geometry = self.window(kernel).over([x[1], x[2]]).map_err(refused)?;
        let empty = [&x, &k, &y].iter().any(|shape| shape.contains(&0));
        if !empty {
            byte_size(DType::Float32, &y)?;
        }
        let shape = ConvShape {
            batch: x[0],
            height: x[1],
            width: x[2],
            in_channels: x[3],
            out_channels: y[3],
            kernel: geometry.size,
            stride: geometry.strides,
            dilation: geometry.dilation,
            padding: geometry.padding,
            groups: x[3].max(1),
            strict: true,
            in_batches: false,
        };
        Ok(Bound { shape, empty })
    }

    /// As [`Convolution::products`]: a depthwise kernel has the bytes of one for as many groups as channels.
    pub(crate) fn products(&self, x: &[usize], kernel: &[usize], f: impl FnMut(usize, usize, usize)) {
        let Self { strides, padding, dilation } = *self;
        let grouped = Convolution { strides, padding, dilation, groups: kernel[2].max(1), strict: true };
        grouped.products(x, &[kernel[0], kernel[1], kernel[2].min(1), kernel[2] * kernel[3]], f);
    }

    /// Operands that between them reach every case.
    pub(crate) fn samples() -> Vec<Extents> {
        let plain = Self { strides: [1, 1], padding: Padding::Valid, dilation: [1, 1] };
        let same = Self { padding: Padding::Same, ..plain };
        let explicit = Padding::Explicit([[3, 0], [1, 4]]);
        let samples = [
            (plain, [2, 5, 6, 3], [3, 3, 3, 1]),
            (same, [1, 7, 6, 19], [3, 3, 19, 1]),
            (Self { strides: [2, 2], ..same }, [2, 6, 7, 5], [3, 3, 5, 1]),
            (Self { padding: explicit, ..plain }, [1, 3, 4, 17], [3, 3, 17, 1]),
            (same, [1, 4, 5, 3], [3, 3, 3, 2]),
            (Self { strides: [2, 2], ..plain }, [1, 7, 7, 2], [3, 3, 2, 3]),
            (Self { strides: [2, 1], ..same }, [1, 6, 5, 4], [3, 3, 4, 1]),
            (Self { dilation: [2, 3], ..same }, [1, 6, 7, 3], [3, 3, 3, 1]),
            (same, [1, 6, 5, 18], [5, 2, 18, 1]),
            (Self { strides: [3, 2], padding: explicit, ..plain }, [1, 4, 5, 2], [2, 5, 2, 2]),
            (plain, [1, 3, 3, 4], [1, 1, 4, 1]),
            (same, [1, 1, 2, 1], [3, 3, 1, 1]),
            (plain, [0, 5, 5, 2], [3, 3, 2, 1]),
            (plain, [1, 4, 4, 0], [3, 3, 0, 2]),
        ];
        let with_y = samples.map(|(depthwise, x, kernel)| {
            let [x_type, kernel_type] = [&x, &kernel].map(|shape| TensorType::known(DType::Float32, shape));
            let y = depthwise.output(&x_type, &kernel_type).map(|y| y.extents()).unwrap_or_default();
            (depthwise, x, kernel, y)
        });
        with_y.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_graph::Extent;

    fn output(attributes: &str, x: &[Extent], kernel: &[usize]) -> Result<String, String> {
        let depthwise: Depthwise = serde_json::from_str(attributes).unwrap();
        let x = TensorType::new(DType::Float32, x.iter().copied());
        depthwise.output(&x, &TensorType::known(DType::Float32, kernel)).map(|y| format_shape(&y.shape))
    }

    #[test]
    fn filters_are_channels_by_multiplier() {
        let x = [None, None, Some(9), Some(3)];
        assert_eq!(
            output(r#"{"padding":"same","strides":[2,2]}"#, &x, &[3, 3, 3, 4]),
            Ok("[null, null, 5, 12]".into())
        );
        assert_eq!(output("{}", &[None, Some(9), None, None], &[3, 3, 3, 1]), Ok("[null, 7, null, 3]".into()));
        assert_eq!(output("{}", &x, &[3, 3, 2, 4]), Err("a kernel for 3 channels, not for 2".into()));
        assert!(output("{}", &x, &[3, 3, 3]).unwrap_err().starts_with("kernel float32 of rank 4"));
        assert!(output("{}", &x, &[1, 1, 3, usize::MAX]).is_err());
    }
}
