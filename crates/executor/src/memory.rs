//! Where in a run's block each value lies.

use ferrograph_tensor::ShapeError;

/// Everything in the block begins at a multiple of this: a cache line, and what [`ferrograph_tensor::Arena`] asks for.
const ALIGNMENT: usize = 64;

/// A piece of memory that is needed from unit `first` to unit `last`, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub bytes: usize,
    pub first: usize,
    pub last: usize,
}

/// An offset for each piece, and the length of the block. Pieces that are needed at the same time do not overlap.
///
/// Greedy by size: the largest piece first, each at the lowest offset that is free for its whole life (Pisarchyk and
/// Lee 2020, arXiv:2001.03288).
pub(crate) fn place(lives: &[Life]) -> Result<(Vec<usize>, usize), ShapeError> {
    let overflow = || ShapeError::Overflow(lives.iter().map(|life| life.bytes).collect());
    let mut order: Vec<usize> = (0..lives.len()).filter(|&i| lives[i].bytes > 0).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lives[i].bytes));
    let mut offsets = vec![0; lives.len()];
    // Placed pieces by offset.
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    let mut length = 0;
    for piece in order {
        let size = lives[piece].bytes.checked_next_multiple_of(ALIGNMENT).ok_or_else(overflow)?;
        let mut offset: usize = 0;
        for &other in placed.iter().filter(|&&other| at_once(lives[piece], lives[other])) {
            if offset.checked_add(size).ok_or_else(overflow)? <= offsets[other] {
                break;
            }
            offset = offset.max(offsets[other] + lives[other].bytes.next_multiple_of(ALIGNMENT));
        }
        let end = offset.checked_add(size).filter(|&end| isize::try_from(end).is_ok()).ok_or_else(overflow)?;
        length = length.max(end);
        offsets[piece] = offset;
        let at = placed.partition_point(|&other| offsets[other] <= offset);
        placed.insert(at, piece);
    }
    Ok((offsets, length))
}

fn at_once(a: Life, b: Life) -> bool {
    a.first <= b.last && b.first <= a.last
}

#[cfg(test)]
mod tests {
    use super::*;

    /// xorshift64 (Marsaglia 2003): enough to vary a test.
    fn random(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as usize
    }

    #[test]
    fn pieces_needed_at_once_are_disjoint() {
        let mut state = 1;
        for round in 0..300 {
            let lives: Vec<Life> = (0..round % 40)
                .map(|_| {
                    let first = random(&mut state) % 20;
                    Life { bytes: random(&mut state) % 1000, first, last: first + random(&mut state) % 6 }
                })
                .collect();
            let (offsets, length) = place(&lives).unwrap();
            for (i, a) in lives.iter().enumerate() {
                assert!(offsets[i].is_multiple_of(ALIGNMENT) && offsets[i] + a.bytes <= length.max(offsets[i]));
                for (j, b) in lives.iter().enumerate().skip(i + 1) {
                    let apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
                    assert!(!at_once(*a, *b) || apart || a.bytes == 0 || b.bytes == 0, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_chain_needs_two_pieces() {
        let lives: Vec<Life> = (0..10).map(|i| Life { bytes: 128, first: i, last: i + 1 }).collect();
        assert_eq!(place(&lives).unwrap().1, 256);
    }

    #[test]
    fn what_does_not_fit_the_address_space_is_an_error() {
        let huge = Life { bytes: isize::MAX as usize - 63, first: 0, last: 1 };
        assert!(place(&[huge, huge]).is_err());
        assert!(place(&[Life { bytes: usize::MAX, ..huge }]).is_err());
    }
}
