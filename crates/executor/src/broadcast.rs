//! Operands of a smaller shape, expanded block by block.

use ferrograph_tensor::{MAX_RANK, View, ViewMut, strides};

/// How the elements of an operand are laid out over the elements of the result: the fewest axes that say it, outermost
/// first. A stride of 0 repeats; the last stride is 0 or 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broadcast {
    extents: Vec<usize>,
    strides: Vec<usize>,
}

impl Broadcast {
    /// How an operand of shape `from` is read as one of shape `to`, as NumPy broadcasts; `None` if it cannot be.
    pub(crate) fn new(from: &[usize], to: &[usize]) -> Option<Self> {
        let missing = to.len().checked_sub(from.len())?;
        let own = strides(from);
        let mut axes: Vec<(usize, usize)> = Vec::with_capacity(to.len());
        for (axis, &extent) in to.iter().enumerate() {
            let (source, stride) = if axis < missing { (1, 0) } else { (from[axis - missing], own[axis - missing]) };
            if source != extent && source != 1 {
                return None;
            }
            let stride = if source == 1 { 0 } else { stride };
            match axes.last_mut() {
                _ if extent == 1 => {}
                Some((outer, outer_stride)) if *outer_stride == stride * extent => {
                    (*outer, *outer_stride) = (*outer * extent, stride);
                }
                _ => axes.push((extent, stride)),
            }
        }
        let (extents, strides) = axes.into_iter().unzip();
        Some(Self { extents, strides })
    }

    /// Whether the operand's elements are the result's, one for one.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self.strides[..], [] | [1])
    }

    /// The number of elements after which the operand repeats from its start, if it is laid out so.
    pub(crate) fn period(&self) -> Option<usize> {
        match (&self.strides[..], &self.extents[..]) {
            ([0], _) => Some(1),
            ([0, 1], &[_, period]) => Some(period),
            _ => None,
        }
    }

    /// Writes the operand's elements for the result's elements `start..start + block.len()`.
    pub(crate) fn expand(&self, operand: View<'_>, start: usize, block: ViewMut<'_>) {
        match (operand, block) {
            (View::F32(from), ViewMut::F32(to)) => self.fill(from, start, to),
            (View::I32(from), ViewMut::I32(to)) => self.fill(from, start, to),
            (View::U8(from), ViewMut::U8(to)) => self.fill(from, start, to),
            (from, to) => unreachable!("expected a block of the operand's type, received {to:?} for {from:?}"),
        }
    }

    fn fill<T: Copy>(&self, from: &[T], start: usize, to: &mut [T]) {
        let Some(last) = self.extents.len().checked_sub(1) else {
            to.fill(from[0]);
            return;
        };
        // The index of the next element along each axis, and where in the operand the outer axes stand.
        let mut index = [0; MAX_RANK];
        let mut rest = start;
        for axis in (0..=last).rev() {
            index[axis] = rest % self.extents[axis];
            rest /= self.extents[axis];
        }
        let mut base: usize = (0..last).map(|axis| index[axis] * self.strides[axis]).sum();
        let mut done = 0;
        while done < to.len() {
            let run = (self.extents[last] - index[last]).min(to.len() - done);
            if self.strides[last] == 0 {
                to[done..done + run].fill(from[base]);
            } else {
                let first = base + index[last];
                to[done..done + run].copy_from_slice(&from[first..first + run]);
            }
            done += run;
            index[last] = 0;
            for axis in (0..last).rev() {
                index[axis] += 1;
                base += self.strides[axis];
                if index[axis] < self.extents[axis] {
                    break;
                }
                base -= self.strides[axis] * self.extents[axis];
                index[axis] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_graph::Reference;
    use ferrograph_tensor::DType;

    const CASES: [(&[usize], &[usize]); 11] = [
        (&[], &[7]),
        (&[3, 4], &[3, 4]),
        (&[4], &[3, 4]),
        (&[3, 1], &[3, 4]),
        (&[1, 4], &[3, 4]),
        (&[2, 1, 5], &[2, 3, 5]),
        (&[2, 1, 1, 3], &[2, 4, 5, 3]),
        (&[4, 1, 3], &[2, 4, 5, 3]),
        (&[1, 1, 1], &[2, 3, 2]),
        (&[2, 1, 2, 1, 2], &[2, 3, 2, 3, 2]),
        (&[1, 5], &[1, 5]),
    ];

    #[test]
    fn every_block_equals_the_definition() {
        for (from, to) in CASES {
            let n: usize = from.iter().product();
            let operand = Reference::new(DType::Float32, from, (0..n).map(|i| i as f64).collect());
            let whole = Reference::from_fn(DType::Float32, to, |index| operand.at_broadcast(index));
            let data: Vec<f32> = operand.data.iter().map(|&x| x as f32).collect();
            let broadcast = Broadcast::new(from, to).unwrap();
            for start in 0..whole.data.len() {
                for end in start..=whole.data.len() {
                    let mut block = vec![f32::NAN; end - start];
                    broadcast.expand(View::F32(&data), start, ViewMut::F32(&mut block));
                    assert!(block.iter().zip(&whole.data[start..end]).all(|(a, b)| f64::from(*a) == *b), "{from:?}");
                }
            }
        }
    }

    #[test]
    fn knows_simple_layouts() {
        let of = |from: &[usize], to: &[usize]| Broadcast::new(from, to).unwrap();
        assert!(of(&[2, 3], &[1, 2, 3]).is_direct() && of(&[1], &[1, 1]).is_direct());
        assert_eq!(of(&[], &[2, 3]).period(), Some(1));
        assert_eq!(of(&[3, 1, 4], &[5, 3, 1, 4]).period(), Some(12));
        assert_eq!(of(&[3, 1], &[3, 4]).period(), None);
        assert_eq!(Broadcast::new(&[3], &[2]), None);
        assert_eq!(Broadcast::new(&[2, 1], &[2]), None);
    }
}
