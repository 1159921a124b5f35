//! Axes as attributes name them, and shapes cut along them.

use ferrograph_tensor::{ShapeError, element_count};

/// An axis counted from the front, of an attribute that may count from the end.
pub(crate) fn check_axis(axis: i64, rank: usize) -> Result<usize, String> {
    let from_front = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    from_front.and_then(|a| usize::try_from(a).ok()).filter(|&a| a < rank).ok_or_else(|| match rank {
        0 => format!("a rank of at least 1 for axis {axis}"),
        _ => format!("axis {axis} to lie between -{rank} and {}", rank - 1),
    })
}

/// The same for an axis that the shape rule has let pass.
pub(crate) fn resolved_axis(axis: i64, rank: usize) -> usize {
    check_axis(axis, rank).unwrap_or_else(|e| unreachable!("the shape rule expects {e}"))
}

/// Which axes are meant; `None` means all. An axis named twice is an error.
pub(crate) fn check_axes(axes: Option<&[i64]>, rank: usize) -> Result<Vec<bool>, String> {
    let Some(axes) = axes else { return Ok(vec![true; rank]) };
    let mut chosen = vec![false; rank];
    for &axis in axes {
        let axis = check_axis(axis, rank)?;
        if std::mem::replace(&mut chosen[axis], true) {
            return Err(format!("axes that differ, but axis {axis} comes twice in {axes:?}"));
        }
    }
    Ok(chosen)
}

/// The same for axes that the shape rule has let pass.
pub(crate) fn resolved_axes(axes: Option<&[i64]>, rank: usize) -> Vec<bool> {
    check_axes(axes, rank).unwrap_or_else(|e| unreachable!("the shape rule expects {e}"))
}

/// A shape as `[outer, extent, inner]` around one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AxisSplit {
    /// Product of the extents before the axis.
    pub(crate) outer: usize,
    /// Extent of the axis.
    pub(crate) extent: usize,
    /// Product of the extents after the axis.
    pub(crate) inner: usize,
}

/// Cuts `shape` around `axis`.
pub(crate) fn split_at(shape: &[usize], axis: usize) -> Result<AxisSplit, ShapeError> {
    Ok(AxisSplit {
        outer: element_count(&shape[..axis])?,
        extent: shape[axis],
        inner: element_count(&shape[axis + 1..])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_either_end() {
        assert_eq!(check_axis(-1, 3), Ok(2));
        assert_eq!(check_axis(0, 3), Ok(0));
        assert_eq!(check_axis(3, 3), Err("axis 3 to lie between -3 and 2".to_owned()));
        assert_eq!(check_axis(i64::MIN, 3).unwrap_err(), format!("axis {} to lie between -3 and 2", i64::MIN));
        assert!(check_axis(0, 0).is_err());
    }

    #[test]
    fn refuses_an_axis_named_twice() {
        assert_eq!(check_axes(Some(&[0, -1]), 3), Ok(vec![true, false, true]));
        assert_eq!(check_axes(None, 2), Ok(vec![true, true]));
        assert!(check_axes(Some(&[1, -1]), 2).is_err());
    }
}
