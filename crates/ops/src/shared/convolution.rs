//! What the convolution ops share: attributes and shape rule.

use super::tolerance::sum_of_products;
use super::window::{Padding, Window, image_extents, may_agree};
use ferrograph_graph::{GraphError, TensorType, format_shape};
use ferrograph_kernels::conv::ConvShape;
use ferrograph_tensor::{DType, byte_size};
use serde::{Deserialize, Serialize};

/// Attributes of every convolution op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Convolution {
    /// Cells from one window to the next, along height and width.
    #[serde(default = "ones")]
    pub strides: [usize; 2],
    /// What is laid around the input.
    #[serde(default)]
    pub padding: Padding,
    /// Cells from one tap of the kernel to the next.
    #[serde(default = "ones")]
    pub dilation: [usize; 2],
    /// The number of equal parts the channels are cut into; each part of the output sees its part of the input.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether errors are no larger than those of plain sums of products. By default large 3 x 3 convolutions are computed by
    /// Winograd's method with large tiles, up to three times as fast and with about twice the rounding error.
    #[serde(default)]
    pub strict: bool,
}

fn one() -> usize {
    1
}

fn ones() -> [usize; 2] {
    [1, 1]
}

/// A convolution whose extents are all known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The extents for the kernels.
    pub(crate) shape: ConvShape,
    /// Whether any operand or result is empty, so that there is nothing to multiply.
    pub(crate) empty: bool,
}

impl Convolution {
    fn window(&self, kernel: &TensorType) -> Window {
        let Self { strides, padding, dilation, .. } = *self;
        Window { word: "kernel", size: [kernel.shape[0], kernel.shape[1]], strides, dilation, padding }
    }

    /// The shape rule: `y` `[N, H', W', F]` for `x` `[N, H, W, C]` and a kernel `[kh, kw, C / groups, F]`. The error
    /// completes "expected ...".
    pub(crate) fn output(&self, x: &TensorType, kernel: &TensorType) -> Result<TensorType, String> {
        let [n, height, width, channels] = image_extents("x", x)?;
        if kernel.dtype != DType::Float32 || kernel.rank() != 4 {
            return Err("kernel float32 of rank 4 [height, width, channels / groups, filters]".into());
        }
        let (per_group, filters, groups) = (kernel.shape[2], kernel.shape[3], self.groups);
        if groups == 0 {
            return Err("at least 1 group".into());
        }
        if let (Some(channels), Some(per_group)) = (channels, per_group)
            && per_group.checked_mul(groups) != Some(channels)
        {
            let of_groups = if groups == 1 { String::new() } else { format!(" / {groups} groups") };
            return Err(format!("a kernel for {channels} channels{of_groups}, not for {per_group}"));
        }
        if filters.is_some_and(|f| f % groups != 0) {
            return Err(format!("a number of filters that {groups} groups divide"));
        }
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
        // The kernels may lay the padding out, so the padded input has to be something that fits in memory.
        let padded =
            [0, 1].map(|axis| geometry.padding[axis].iter().fold(geometry.input[axis], |n, p| n.saturating_add(*p)));
        let empty = [&x, &k, &y].iter().any(|shape| shape.contains(&0));
        if !empty {
            byte_size(DType::Float32, &[x[0], padded[0], padded[1], x[3]])?;
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
            groups: self.groups,
            strict: self.strict,
            in_batches: false,
        };
        Ok(Bound { shape, empty })
    }

    /// Calls `f` with the places in the data of `x`, the kernel and `y` of every product that is summed: the plainest
    /// statement of a convolution and of both its gradients.
    pub(crate) fn products(&self, x: &[usize], kernel: &[usize], mut f: impl FnMut(usize, usize, usize)) {
        let window = self.window(&TensorType::known(DType::Float32, kernel));
        let geometry = window.over([x[1], x[2]]).unwrap_or_else(|e| unreachable!("expected {e}"));
        let ([height, width], [rows, columns]) = (geometry.input, geometry.output);
        let filters_per_group = kernel[3] / self.groups;
        for (n, i, j) in (0..x[0]).flat_map(|n| (0..rows).flat_map(move |i| (0..columns).map(move |j| (n, i, j)))) {
            for ([p, q], [h, w]) in geometry.cells(i, j) {
                for (c, o) in (0..kernel[2]).flat_map(|c| (0..kernel[3]).map(move |o| (c, o))) {
                    let channel = o / filters_per_group * kernel[2] + c;
                    let at_x = ((n * height + h) * width + w) * x[3] + channel;
                    let at_kernel = ((p * kernel[1] + q) * kernel[2] + c) * kernel[3] + o;
                    f(at_x, at_kernel, ((n * rows + i) * columns + j) * kernel[3] + o);
                }
            }
        }
    }

    /// The tolerance for sums of `count` products, which may have been computed by Winograd's method: its largest error is
    /// 4.5e-6 of their root mean square for 64 channels, and twice that leaves no room for luck.
    pub(crate) fn tolerance(&self, kernel: [usize; 4], count: usize) -> f64 {
        let direct = sum_of_products(count);
        if self.strict || kernel[2].min(kernel[3]) < 32 {
            return direct;
        }
        direct.max(9e-6 * (count as f64).sqrt() * 2f64.powi(24))
    }

    /// Attributes with the shapes of `x` and the kernel, which between them reach every case.
    pub(crate) fn samples() -> Vec<(Self, [usize; 4], [usize; 4])> {
        let plain = Self { strides: [1, 1], padding: Padding::Valid, dilation: [1, 1], groups: 1, strict: false };
        let same = Self { padding: Padding::Same, ..plain };
        vec![
            (plain, [2, 5, 6, 3], [3, 3, 3, 4]),
            (same, [1, 5, 4, 2], [3, 2, 2, 3]),
            (plain, [2, 3, 4, 5], [1, 1, 5, 6]),
            (Self { strides: [2, 3], ..plain }, [1, 7, 8, 2], [3, 2, 2, 2]),
            (Self { strides: [2, 2], ..same }, [1, 6, 5, 1], [3, 3, 1, 3]),
            (Self { strides: [2, 2], ..same }, [2, 5, 5, 2], [1, 1, 2, 3]),
            (Self { strides: [3, 3], ..same }, [1, 7, 7, 2], [2, 2, 2, 1]),
            (Self { dilation: [2, 1], ..plain }, [1, 7, 4, 2], [3, 2, 2, 2]),
            (Self { dilation: [2, 3], ..same }, [1, 6, 5, 2], [3, 3, 2, 1]),
            (Self { strides: [2, 1], dilation: [1, 2], ..plain }, [1, 6, 6, 1], [2, 3, 1, 2]),
            (Self { groups: 2, ..same }, [1, 4, 4, 4], [3, 3, 2, 6]),
            (Self { groups: 3, strides: [2, 2], ..plain }, [2, 5, 5, 3], [2, 2, 1, 3]),
            (Self { padding: Padding::Explicit([[2, 0], [1, 3]]), ..plain }, [1, 3, 3, 2], [3, 3, 2, 2]),
            (
                Self { padding: Padding::Explicit([[3, 3], [0, 1]]), strides: [2, 2], ..plain },
                [1, 2, 4, 1],
                [2, 2, 1, 2],
            ),
            (same, [1, 1, 2, 1], [5, 5, 1, 1]),
            (same, [1, 6, 5, 17], [3, 3, 17, 19]),
            // Large enough for Winograd's method.
            (same, [1, 7, 8, 32], [3, 3, 32, 33]),
            (Self { strict: true, ..same }, [1, 7, 8, 32], [3, 3, 32, 33]),
            (plain, [0, 5, 5, 2], [3, 3, 2, 2]),
            (plain, [1, 4, 4, 0], [3, 3, 0, 2]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_graph::Extent;

    fn output(attributes: &str, x: &[Extent], kernel: &[usize]) -> Result<String, String> {
        let convolution: Convolution = serde_json::from_str(attributes).unwrap();
        let x = TensorType::new(DType::Float32, x.iter().copied());
        convolution.output(&x, &TensorType::known(DType::Float32, kernel)).map(|y| format_shape(&y.shape))
    }

    #[test]
    fn carries_unknown_extents() {
        let x = [None, None, Some(9), Some(3)];
        assert_eq!(output(r#"{"padding":"same","strides":[2,2]}"#, &x, &[3, 3, 3, 8]), Ok("[null, null, 5, 8]".into()));
        assert_eq!(output("{}", &[None, Some(9), None, None], &[3, 3, 3, 8]), Ok("[null, 7, null, 8]".into()));
    }

    #[test]
    fn channels_groups_and_size_are_checked() {
        let x = [None, Some(2), Some(8), Some(4)];
        assert_eq!(output("{}", &x, &[2, 2, 3, 8]), Err("a kernel for 4 channels, not for 3".into()));
        let grouped = output(r#"{"groups":2}"#, &x, &[2, 2, 3, 8]);
        assert_eq!(grouped, Err("a kernel for 4 channels / 2 groups, not for 3".into()));
        assert_eq!(
            output(r#"{"groups":2}"#, &x, &[2, 2, 2, 3]),
            Err("a number of filters that 2 groups divide".into())
        );
        assert!(output(r#"{"groups":0}"#, &x, &[2, 2, 2, 3]).is_err());
        assert_eq!(
            output("{}", &x, &[3, 3, 4, 8]).unwrap_err(),
            "a positive output size, but input [2, 8], kernel [3, 3], strides [1, 1], padding 'valid' give [0, 6]"
        );
        assert!(
            output("{}", &[None, Some(28), Some(28)], &[3, 3, 4, 8]).unwrap_err().starts_with("x float32 of rank 4")
        );
    }

    #[test]
    fn a_padded_input_that_fits_nowhere_is_refused() {
        let convolution = Convolution {
            padding: Padding::Explicit([[1 << 30; 2]; 2]),
            strides: [1, 1],
            dilation: [1, 1],
            groups: 1,
            strict: false,
        };
        let (x, kernel) = ([1, 1, 1, 8], [1, 1, 8, 1]);
        let [x, kernel] = [x, kernel].map(|shape| TensorType::known(DType::Float32, &shape));
        assert!(matches!(convolution.bind("conv2d", &x, &kernel), Err(GraphError::Shape(_))));
    }
}
