//! A shape seen by a reduction.

/// Neighbouring axes that are all kept or all reduced, taken as one; extents of 1 left out. What remains alternates,
/// and is read as `[outer.., run, inner]`: the innermost reduced axis, and the kept elements below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Extent and stride of the kept axes outside of `run`.
    kept: Vec<(usize, usize)>,
    /// Extent and stride of the reduced axes outside of `run`.
    reduced: Vec<(usize, usize)>,
    /// Extent of the innermost reduced axis.
    pub(super) run: usize,
    /// Kept elements below it, contiguous.
    pub(super) inner: usize,
    /// Elements before and after.
    lengths: (usize, usize),
}

impl Groups {
    /// The groups of `shape`, whose elements must be countable in a `usize`, where `reduced` says what becomes of each
    /// axis.
    pub fn new(shape: &[usize], reduced: &[bool]) -> Self {
        assert_eq!(shape.len(), reduced.len());
        let product = |which: bool| {
            let extents = shape.iter().zip(reduced).filter(|(_, r)| **r == which).map(|(n, _)| *n);
            // Where an extent is 0 the others may be so large that their product is not a number.
            if extents.clone().any(|n| n == 0) { 0 } else { extents.fold(1, usize::saturating_mul) }
        };
        let (len, folded) = (product(false), product(true));
        let mut groups = Self {
            kept: Vec::new(),
            reduced: Vec::new(),
            run: 1,
            inner: 1,
            lengths: (if len == 0 || folded == 0 { 0 } else { len * folded }, len),
        };
        if groups.lengths.0 == 0 {
            return groups;
        }
        let mut merged: Vec<(usize, bool)> = Vec::new();
        for (&extent, &reduced) in shape.iter().zip(reduced).filter(|(n, _)| **n != 1) {
            match merged.last_mut() {
                Some(last) if last.1 == reduced => last.0 *= extent,
                _ => merged.push((extent, reduced)),
            }
        }
        if let Some((extent, _)) = merged.pop_if(|last| !last.1) {
            groups.inner = extent;
        }
        if let Some((extent, _)) = merged.pop() {
            groups.run = extent;
        }
        let mut stride = groups.inner * groups.run;
        for (extent, reduced) in merged.into_iter().rev() {
            let outer = if reduced { &mut groups.reduced } else { &mut groups.kept };
            outer.push((extent, stride));
            stride *= extent;
        }
        groups
    }

    /// Elements of the result.
    pub fn len(&self) -> usize {
        self.lengths.1
    }

    /// Whether there is nothing to fold.
    pub fn is_empty(&self) -> bool {
        self.lengths.0 == 0
    }

    /// Elements of the operand.
    pub fn source_len(&self) -> usize {
        self.lengths.0
    }

    /// Whether every result is one element of the operand.
    pub fn is_identity(&self) -> bool {
        !self.is_empty() && self.lengths.0 == self.lengths.1
    }

    /// Elements folded into each result.
    pub fn count(&self) -> usize {
        if self.is_empty() { 0 } else { self.lengths.0 / self.lengths.1 }
    }

    /// How many combinations of outer reduced axes there are.
    pub(super) fn outer_reduced(&self) -> usize {
        self.reduced.iter().map(|(n, _)| n).product()
    }

    pub(super) fn reduced_offset(&self, index: usize) -> usize {
        offset(&self.reduced, index)
    }

    pub(super) fn kept_offset(&self, index: usize) -> usize {
        offset(&self.kept, index)
    }
}

/// The offset of combination `index` of axes that are listed innermost first.
#[inline]
fn offset(axes: &[(usize, usize)], mut index: usize) -> usize {
    let mut offset = 0;
    for (extent, stride) in axes {
        offset += index % extent * stride;
        index /= extent;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_neighbours() {
        let groups = Groups::new(&[2, 3, 1, 4, 5], &[true, true, false, false, false]);
        assert_eq!((groups.run, groups.inner, groups.len(), groups.count()), (6, 20, 20, 6));
        let groups = Groups::new(&[2, 3, 4], &[true, false, true]);
        assert_eq!((groups.run, groups.inner, groups.len(), groups.count()), (4, 1, 3, 8));
        assert_eq!((groups.kept_offset(2), groups.reduced_offset(1)), (8, 12));
    }

    #[test]
    fn counts_nothing_without_overflow() {
        let groups = Groups::new(&[1 << 40, 1 << 40, 0], &[false, false, true]);
        assert!(groups.is_empty() && groups.count() == 0);
        assert!(Groups::new(&[2, 3], &[false, false]).is_identity());
    }
}
