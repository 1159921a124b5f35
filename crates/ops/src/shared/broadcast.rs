//! NumPy broadcasting, forwards and back.

use crate::sum_like::SumLike;
use ferrograph_graph::{Extent, Graph, GraphError, ValueId, format_shape};

/// The shape that `a` and `b` broadcast to. An unknown extent may turn out to be 1 or whatever fits.
pub(crate) fn broadcast(a: &[Extent], b: &[Extent]) -> Result<Vec<Extent>, String> {
    let rank = a.len().max(b.len());
    (0..rank)
        .map(|axis| {
            let extent = |shape: &[Extent]| (axis + shape.len()).checked_sub(rank).map_or(Some(1), |i| shape[i]);
            match (extent(a), extent(b)) {
                (Some(1), n) | (n, Some(1)) => Ok(n),
                (Some(m), Some(n)) if m == n => Ok(Some(m)),
                (Some(n), None) | (None, Some(n)) => Ok(Some(n)),
                (None, None) => Ok(None),
                (Some(_), Some(_)) => Err("shapes that broadcast together".to_owned()),
            }
        })
        .collect()
}

/// That `from` broadcasts to exactly `to`.
pub(crate) fn check_broadcasts_to(from: &[Extent], to: &[Extent]) -> Result<(), String> {
    let fits = from.len() <= to.len()
        && from.iter().rev().zip(to.iter().rev()).all(|(from, to)| match (from, to) {
            (Some(1) | None, _) | (_, None) => true,
            (from, to) => from == to,
        });
    if fits { Ok(()) } else { Err(format!("a shape that broadcasts to {}", format_shape(to))) }
}

/// The gradient of an operand from the gradient of a result that the operand was broadcast to.
pub(crate) fn unbroadcast(graph: &mut Graph, gradient: ValueId, operand: ValueId) -> Result<ValueId, GraphError> {
    if graph.ty(gradient).same_known_shape(graph.ty(operand)) {
        return Ok(gradient);
    }
    graph.apply(SumLike {}, &[gradient, operand])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_numpy() {
        assert_eq!(broadcast(&[Some(2), Some(1)], &[Some(3)]), Ok(vec![Some(2), Some(3)]));
        assert_eq!(broadcast(&[], &[Some(0)]), Ok(vec![Some(0)]));
        assert!(broadcast(&[Some(2)], &[Some(3)]).is_err());
    }

    #[test]
    fn carries_unknown_extents() {
        assert_eq!(broadcast(&[None, Some(4)], &[Some(4)]), Ok(vec![None, Some(4)]));
        assert_eq!(broadcast(&[None], &[Some(1)]), Ok(vec![None]));
        assert_eq!(broadcast(&[None], &[Some(7)]), Ok(vec![Some(7)]));
        assert_eq!(broadcast(&[None], &[None]), Ok(vec![None]));
    }

    #[test]
    fn checks_the_target() {
        assert!(check_broadcasts_to(&[Some(1), None], &[Some(5), Some(2), Some(3)]).is_ok());
        assert!(check_broadcasts_to(&[Some(2)], &[Some(1)]).is_err());
        assert!(check_broadcasts_to(&[Some(1), Some(1)], &[Some(1)]).is_err());
    }
}
