//! Windows that slide over the two spatial axes of `[N, H, W, C]`: the arithmetic convolution and pooling share.

use ferrograph_graph::{Extent, TensorType, format_shape};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Strides, padding and what a dilated window covers stay below this, so that no sum or product of them overflows.
const LIMIT: usize = 1 << 31;

/// What is laid around the input before a window slides over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Nothing: a window lies within the input.
    #[default]
    Valid,
    /// As much as makes `ceil(input / stride)` windows; where it is odd, the larger half comes after.
    Same,
    /// `[[top, bottom], [left, right]]`
    #[serde(untagged)]
    Explicit([[usize; 2]; 2]),
}

impl Padding {
    /// The padding of a window over images `[N, H, W, C]` that includes a border around them, if that can be said.
    pub fn with_border(self, border: &[[usize; 2]]) -> Option<Self> {
        let own = match self {
            Self::Valid => [[0, 0]; 2],
            Self::Explicit(amounts) => amounts,
            // How much that is depends on the extents with the border.
            Self::Same => return None,
        };
        let &[[0, 0], rows, columns, [0, 0]] = border else { return None };
        let sum = |own: [usize; 2], border: [usize; 2]| {
            Some([own[0].checked_add(border[0])?, own[1].checked_add(border[1])?])
        };
        Some(Self::Explicit([sum(own[0], rows)?, sum(own[1], columns)?]))
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("'valid'"),
            Self::Same => f.write_str("'same'"),
            Self::Explicit(amounts) => write!(f, "{amounts:?}"),
        }
    }
}

/// A window and the way it slides. Extents not known yet are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// What messages call the window: `kernel` or `pool`.
    pub word: &'static str,
    /// Cells along height and width.
    pub size: [Extent; 2],
    /// Cells from one window to the next.
    pub strides: [usize; 2],
    /// Cells from one tap to the next.
    pub dilation: [usize; 2],
    /// What is laid around the input.
    pub padding: Padding,
}

/// A window over an input of known extents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Height and width of the input.
    pub input: [usize; 2],
    /// How many windows there are along each.
    pub output: [usize; 2],
    /// Cells of the window.
    pub size: [usize; 2],
    /// Cells from one window to the next.
    pub strides: [usize; 2],
    /// Cells from one tap to the next.
    pub dilation: [usize; 2],
    /// `[[top, bottom], [left, right]]`
    pub padding: [[usize; 2]; 2],
}

impl Window {
    /// How many windows an input of that height and width has. The error completes "expected ...".
    pub fn output(&self, input: [Extent; 2]) -> Result<[Extent; 2], String> {
        self.check()?;
        let counts = [0, 1].map(|axis| self.count(axis, input[axis]));
        if counts.iter().flatten().any(|&n| n <= 0) {
            let counts = counts.map(|n| n.map_or_else(|| "null".into(), |n| n.to_string())).join(", ");
            return Err(format!("a positive output size, but {} give [{counts}]", self.describe(input)));
        }
        Ok(counts.map(|n| n.map(|n| n as usize)))
    }

    /// The window over an input of known extents. The error completes "expected ...".
    pub fn over(&self, input: [usize; 2]) -> Result<Geometry, String> {
        let known = |extents: [Extent; 2]| extents.map(Option::unwrap_or_default);
        let output = known(self.output(input.map(Some))?);
        let size = known(self.size);
        let padding = [0, 1].map(|axis| match self.padding {
            Padding::Valid => [0, 0],
            Padding::Explicit(amounts) => amounts[axis],
            Padding::Same => {
                // The last window begins within the input, so only its reach can pass the input's end.
                let beyond = input[axis] - (output[axis] - 1) * self.strides[axis];
                let total = ((size[axis] - 1) * self.dilation[axis] + 1).saturating_sub(beyond);
                [total / 2, total - total / 2]
            }
        });
        Ok(Geometry { input, output, size, strides: self.strides, dilation: self.dilation, padding })
    }

    /// Refuses attributes that mean nothing or would overflow.
    fn check(&self) -> Result<(), String> {
        let reach = [0, 1].map(|axis| self.size[axis].unwrap_or(1).saturating_mul(self.dilation[axis]));
        let counts = self.strides.iter().chain(&self.dilation).chain(self.size.iter().flatten()).chain(&reach);
        if !counts.into_iter().all(|n| (1..LIMIT).contains(n)) {
            let Self { word, strides, dilation, .. } = self;
            let size = format_shape(&self.size);
            return Err(format!(
                "{word}, strides and dilation of at least 1 and less than 2^31, not {word} {size}, strides {strides:?}, \
                 dilation {dilation:?}"
            ));
        }
        match self.padding {
            Padding::Explicit(amounts) if amounts.as_flattened().iter().any(|&n| n >= LIMIT) => {
                Err(format!("padding of less than 2^31 cells, not {amounts:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Windows along one axis; zero or less when none fits.
    fn count(&self, axis: usize, input: Extent) -> Option<i128> {
        // 128 bits hold every sum and product of values below 2^64.
        let (input, stride) = (input? as i128, self.strides[axis] as i128);
        let padding = match self.padding {
            Padding::Same => return Some((input + stride - 1) / stride),
            Padding::Valid => 0,
            Padding::Explicit(amounts) => (amounts[axis][0] + amounts[axis][1]) as i128,
        };
        let reach = (self.size[axis]? as i128 - 1) * self.dilation[axis] as i128 + 1;
        Some((input + padding - reach).div_euclid(stride) + 1)
    }

    fn describe(&self, input: [Extent; 2]) -> String {
        let Self { word, size, strides, dilation, padding } = self;
        let dilated = if *dilation == [1, 1] { String::new() } else { format!(", dilation {dilation:?}") };
        let (input, size) = (format_shape(&input), format_shape(size));
        format!("input {input}, {word} {size}, strides {strides:?}, padding {padding}{dilated}")
    }
}

impl Geometry {
    /// The input cells below window `(i, j)`, as `(tap, cell)` in row-major order; taps in the padding are left out.
    pub fn cells(&self, i: usize, j: usize) -> Vec<([usize; 2], [usize; 2])> {
        let along = |axis: usize, window: usize| {
            (0..self.size[axis]).filter_map(move |tap| {
                let padded = window * self.strides[axis] + tap * self.dilation[axis];
                let cell = padded.checked_sub(self.padding[axis][0])?;
                (cell < self.input[axis]).then_some((tap, cell))
            })
        };
        along(0, i).flat_map(|(p, h)| along(1, j).map(move |(q, w)| ([p, q], [h, w]))).collect()
    }
}

/// The extents of a float32 image batch `[N, H, W, C]`. The error completes "expected ...".
pub fn image_extents(name: &str, ty: &TensorType) -> Result<[Extent; 4], String> {
    <[Extent; 4]>::try_from(ty.shape.as_slice())
        .ok()
        .filter(|_| ty.dtype == DType::Float32)
        .ok_or_else(|| format!("{name} float32 of rank 4 [N, H, W, C]"))
}

/// Whether two shapes may be the same once every extent is known.
pub fn may_agree(a: &[Extent], b: &[Extent]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_none() || b.is_none() || a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: usize, stride: usize, dilation: usize, padding: Padding) -> Window {
        let twice = |n| [n, n];
        Window { word: "kernel", size: [Some(size); 2], strides: twice(stride), dilation: twice(dilation), padding }
    }

    /// `(input, size, stride, dilation, windows, cells before, cells after)` from `jax.lax.padtype_to_pads` of JAX 0.10.2
    /// with `'SAME'`, which Keras 3.15.1 uses on that backend.
    #[test]
    fn same_padding_is_that_of_keras() {
        for (input, size, stride, dilation, windows, before, after) in [
            (4, 3, 2, 1, 2, 0, 1),
            (5, 3, 2, 1, 3, 1, 1),
            (7, 4, 1, 1, 7, 1, 2),
            (7, 2, 3, 1, 3, 0, 1),
            (5, 1, 3, 1, 2, 0, 0),
            (6, 3, 1, 2, 6, 2, 2),
            (1, 5, 1, 1, 1, 2, 2),
        ] {
            let geometry = window(size, stride, dilation, Padding::Same).over([input, input]).unwrap();
            assert_eq!(geometry.output, [windows; 2], "{geometry:?}");
            assert_eq!(geometry.padding, [[before, after]; 2], "{geometry:?}");
        }
    }

    #[test]
    fn unknown_extents_stay_unknown() {
        let output = |padding| window(3, 2, 1, padding).output([None, Some(7)]);
        assert_eq!(output(Padding::Valid), Ok([None, Some(3)]));
        assert_eq!(output(Padding::Same), Ok([None, Some(4)]));
        assert_eq!(output(Padding::Explicit([[1, 1], [0, 2]])), Ok([None, Some(4)]));
    }

    #[test]
    fn too_small_an_input_is_named_with_all_that_led_to_it() {
        let error = window(3, 1, 1, Padding::Valid).output([Some(1), None]).unwrap_err();
        let given = "input [1, null], kernel [3, 3], strides [1, 1], padding 'valid'";
        assert_eq!(error, format!("a positive output size, but {given} give [-1, null]"));
        assert!(window(3, 1, 1, Padding::Same).output([Some(0), Some(1)]).is_err());
    }

    #[test]
    fn made_up_attributes_are_refused() {
        assert!(window(3, 0, 1, Padding::Valid).output([None, None]).is_err());
        assert!(window(0, 1, 1, Padding::Valid).output([None, None]).is_err());
        assert!(window(3, 1, usize::MAX, Padding::Same).output([None, None]).is_err());
        assert!(window(3, 1, 1, Padding::Explicit([[usize::MAX; 2]; 2])).output([None, None]).is_err());
        assert_eq!(window(3, 1, 1, Padding::Same).over([usize::MAX; 2]).map(|g| g.output), Ok([usize::MAX; 2]));
    }

    #[test]
    fn padding_is_written_as_a_word_or_as_amounts() {
        for (padding, text) in [
            (Padding::Valid, "\"valid\""),
            (Padding::Same, "\"same\""),
            (Padding::Explicit([[1, 2], [3, 4]]), "[[1,2],[3,4]]"),
        ] {
            assert_eq!(serde_json::to_string(&padding).unwrap(), text);
            assert_eq!(serde_json::from_str::<Padding>(text).unwrap(), padding);
        }
        assert!(serde_json::from_str::<Padding>("\"full\"").is_err());
    }
}
