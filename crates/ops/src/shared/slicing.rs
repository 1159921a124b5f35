//! Slices as Python writes them, `begin:end:stride` for each of the first axes; the other axes are whole.

use super::copying::signed_strides;
use ferrograph_graph::{Extent, GraphError};
use ferrograph_kernels::copy::Strided;

/// The attributes of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slicing<'a> {
    /// Where to begin; `None` is 0.
    pub(crate) begin: &'a [Option<i64>],
    /// Where to end; `None` is the extent.
    pub(crate) end: &'a [Option<i64>],
    /// At least 1.
    pub(crate) strides: &'a [i64],
}

/// What is taken of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) begin: usize,
    pub(crate) count: usize,
    pub(crate) stride: usize,
}

impl Slicing<'_> {
    /// The shape rule.
    pub(crate) fn shape(self, x: &[Extent]) -> Result<Vec<Extent>, String> {
        let named = self.begin.len().max(self.end.len()).max(self.strides.len());
        if named > x.len() {
            return Err(format!("a rank of at least {named}"));
        }
        if self.strides.iter().any(|&s| s < 1) {
            return Err(format!("strides of at least 1 (they are {:?})", self.strides));
        }
        Ok((0..x.len()).map(|axis| x[axis].map(|extent| self.range(axis, extent).count)).collect())
    }

    /// What is taken of `axis`, within its extent.
    pub(crate) fn range(self, axis: usize, extent: usize) -> Range {
        let place = |place: Option<i64>, default: usize| match place {
            None => default,
            Some(p) if p < 0 => extent.saturating_sub(p.unsigned_abs() as usize),
            Some(p) => extent.min(p as usize),
        };
        let begin = place(self.begin.get(axis).copied().flatten(), 0);
        let end = place(self.end.get(axis).copied().flatten(), extent);
        let stride = self.strides.get(axis).map_or(1, |&s| s as usize);
        Range { begin, count: end.saturating_sub(begin).div_ceil(stride), stride }
    }

    /// The elements of a dense tensor of that shape.
    pub(crate) fn view(self, shape: &[usize]) -> Result<Strided, GraphError> {
        let ranges: Vec<Range> = (0..shape.len()).map(|axis| self.range(axis, shape[axis])).collect();
        let counts: Vec<usize> = ranges.iter().map(|r| r.count).collect();
        if counts.contains(&0) {
            return Ok(Strided::new(0, &counts, &vec![0; counts.len()]));
        }
        let strides = signed_strides(shape)?;
        let offset = ranges.iter().zip(&strides).map(|(r, s)| r.begin * *s as usize).sum();
        // A stride is used only where there are two elements, which it then lies between.
        let stepped = |(r, s): (&Range, &isize)| if r.count > 1 { r.stride as isize * s } else { 0 };
        Ok(Strided::new(offset, &counts, &ranges.iter().zip(&strides).map(stepped).collect::<Vec<_>>()))
    }
}

/// Attributes and a shape, to try slices on.
type SliceSample = (Vec<Option<i64>>, Vec<Option<i64>>, Vec<i64>, Vec<usize>);

/// Slices of every kind: begin, end, strides and the shape they are taken of.
pub(crate) fn slice_samples() -> Vec<SliceSample> {
    vec![
        (vec![Some(1)], vec![Some(3)], vec![], vec![4, 3]),
        (vec![None, Some(-2)], vec![], vec![1, 1], vec![2, 5]),
        (vec![Some(0), Some(1)], vec![None, Some(-1)], vec![2, 3], vec![5, 9]),
        (vec![], vec![], vec![], vec![2, 3]),
        (vec![Some(3)], vec![Some(1)], vec![], vec![4]),
        (vec![Some(0), Some(0), Some(1)], vec![Some(1), Some(9), Some(2)], vec![], vec![2, 3, 4]),
        (vec![Some(1)], vec![Some(2)], vec![i64::MAX], vec![3]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(begin: Option<i64>, end: Option<i64>, stride: i64, extent: usize) -> Vec<usize> {
        let slicing = Slicing { begin: &[begin], end: &[end], strides: &[stride] };
        let Range { begin, count, stride } = slicing.range(0, extent);
        (0..count).map(|i| begin + i * stride).collect()
    }

    /// Expected values are those of Python's `list(range(n))[begin:end:stride]`.
    #[test]
    fn follows_python() {
        assert_eq!(of(None, None, 1, 3), [0, 1, 2]);
        assert_eq!(of(Some(-2), None, 1, 5), [3, 4]);
        assert_eq!(of(Some(1), Some(-1), 2, 6), [1, 3]);
        assert_eq!(of(Some(-9), Some(9), 1, 2), [0, 1]);
        assert!(of(Some(4), Some(2), 1, 6).is_empty());
        assert_eq!(of(Some(i64::MIN), Some(i64::MAX), i64::MAX, 6), [0]);
        assert!(of(None, None, 1, 0).is_empty());
    }

    #[test]
    fn carries_unknown_extents_and_refuses_what_cannot_be() {
        let slicing = |strides| Slicing { begin: &[], end: &[Some(2)], strides };
        assert_eq!(slicing(&[]).shape(&[Some(5), None]), Ok(vec![Some(2), None]));
        assert_eq!(slicing(&[]).shape(&[None]), Ok(vec![None]));
        assert!(slicing(&[0]).shape(&[Some(5)]).is_err());
        assert!(slicing(&[1, 1]).shape(&[Some(5)]).is_err());
    }
}
