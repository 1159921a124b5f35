//! The `shape` attribute: what the extents of a result are to be, in terms of an operand.

use ferrograph_graph::Extent;

/// For each axis an extent, `null` (the operand's extent on the axis of the same index) or, for reshape, -1 (whatever
/// makes the number of elements right).
pub(crate) type Dims = Vec<Option<i64>>;

/// The shape that `dims` ask for where -1 has no meaning.
pub(crate) fn shape_like(dims: &[Option<i64>], like: &[Extent]) -> Result<Vec<Extent>, String> {
    dims.iter()
        .enumerate()
        .map(|(axis, dim)| match dim {
            Some(n) => usize::try_from(*n).map(Some).map_err(|_| "extents of 0 or more in the shape".to_owned()),
            None => like.get(axis).copied().ok_or_else(|| format!("an operand with an axis {axis} for the null there")),
        })
        .collect()
}

/// The shape that a reshape gives. Extents that are copied cancel out, so an unknown batch hinders nothing.
pub(crate) fn reshaped(dims: &[Option<i64>], from: &[Extent]) -> Result<Vec<Extent>, String> {
    if dims.iter().filter(|d| **d == Some(-1)).count() > 1 {
        return Err("at most one -1 in the shape".to_owned());
    }
    let asked: Vec<Option<i64>> = dims.iter().map(|&d| if d == Some(-1) { Some(1) } else { d }).collect();
    let mut shape = shape_like(&asked, from)?;
    let copied = |axis: usize| dims.get(axis) == Some(&None);
    let rest = |extents: &[Extent]| {
        let rest = extents.iter().enumerate().filter(|(axis, _)| !copied(*axis));
        rest.map(|(_, extent)| *extent).collect::<Vec<_>>()
    };
    let (wanted, present) = (product(&rest(&shape)), product(&rest(from)));
    match dims.iter().position(|&d| d == Some(-1)) {
        Some(axis) => {
            shape[axis] = match (wanted, present) {
                (Some(0), _) => return Err("no -1 in a shape without elements".to_owned()),
                (Some(wanted), Some(present)) if present % wanted == 0 => Some(present / wanted),
                (Some(wanted), Some(_)) => return Err(format!("a number of elements that {wanted} divides")),
                _ => None,
            }
        }
        None => {
            if let (Some(wanted), Some(present)) = (wanted, present)
                && wanted != present
            {
                return Err(format!(
                    "{wanted} elements{}",
                    if dims.contains(&None) { " beside the axes kept" } else { "" }
                ));
            }
        }
    }
    Ok(shape)
}

/// The product, if every extent is known; 0 where one is 0. It saturates: no tensor has that many elements.
fn product(extents: &[Extent]) -> Option<usize> {
    if extents.contains(&Some(0)) {
        return Some(0);
    }
    extents.iter().try_fold(1usize, |n, extent| extent.map(|e| n.saturating_mul(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_extents_cancel() {
        assert_eq!(reshaped(&[None, Some(-1)], &[None, Some(4), Some(5)]), Ok(vec![None, Some(20)]));
        assert_eq!(reshaped(&[None, Some(-1)], &[Some(0), Some(4)]), Ok(vec![Some(0), Some(4)]));
        assert_eq!(reshaped(&[None, Some(2), Some(2)], &[None, Some(4)]), Ok(vec![None, Some(2), Some(2)]));
    }

    #[test]
    fn unknown_extents_stay_unknown() {
        assert_eq!(reshaped(&[Some(-1), Some(3)], &[None, Some(3)]), Ok(vec![None, Some(3)]));
        assert_eq!(reshaped(&[Some(6)], &[None, Some(3)]), Ok(vec![Some(6)]));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(reshaped(&[Some(5)], &[Some(6)]).unwrap_err(), "5 elements");
        assert_eq!(reshaped(&[Some(-1), Some(4)], &[Some(6)]).unwrap_err(), "a number of elements that 4 divides");
        assert!(reshaped(&[Some(-1), Some(-1)], &[Some(6)]).is_err());
        assert!(reshaped(&[Some(-1), Some(0)], &[Some(0)]).is_err());
        assert!(reshaped(&[Some(-2)], &[Some(2)]).is_err());
        assert!(reshaped(&[Some(2), None], &[Some(2)]).is_err());
        assert!(reshaped(&[Some(i64::MAX), Some(i64::MAX)], &[Some(2)]).is_err());
    }
}
