//! Bands of an image, with the zeros around it.

use super::axis::Axis;
use std::ops::Range;

/// The part of `positions` positions from `start` on that lies within `0 .. extent`: how many come before it, and where
/// in the source it begins and ends.
fn overlap(start: isize, positions: usize, extent: usize) -> (usize, Range<usize>) {
    let before = if start < 0 { start.unsigned_abs().min(positions) } else { 0 };
    let from = (start.max(0) as usize).min(extent);
    let to = from.saturating_add(positions - before).min(extent);
    (before, from..to)
}

/// Copies what all target columns read of some rows of `image` `[rows.extent, columns.extent, channels]`, counted from the
/// first that a target row reads, to `band` `[padded.len(), columns.reach(columns.count), channels]`.
pub(super) fn copy(
    image: &[f32],
    rows: &Axis,
    columns: &Axis,
    channels: usize,
    padded: Range<usize>,
    band: &mut [f32],
) {
    let width = columns.reach(columns.count) * channels;
    if width == 0 {
        return;
    }
    let (left, inside) = overlap(columns.origin, columns.reach(columns.count), columns.extent);
    let (left, inside_len) = (left * channels, inside.len() * channels);
    let (top, source_rows) = overlap(rows.origin + padded.start as isize, padded.len(), rows.extent);
    for (index, to) in band.chunks_exact_mut(width).take(padded.len()).enumerate() {
        let source_row = source_rows.start + index.wrapping_sub(top);
        if index < top || source_row >= source_rows.end {
            to.fill(0.0);
            continue;
        }
        let from = (source_row * columns.extent + inside.start) * channels;
        to[..left].fill(0.0);
        to[left..left + inside_len].copy_from_slice(&image[from..from + inside_len]);
        to[left + inside_len..].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_outside_are_cut_off() {
        assert_eq!(overlap(-2, 7, 4), (2, 0..4));
        assert_eq!(overlap(1, 2, 4), (0, 1..3));
        assert_eq!(overlap(3, 5, 4), (0, 3..4));
        assert_eq!(overlap(9, 2, 4), (0, 4..4));
        assert_eq!(overlap(-9, 2, 4), (2, 0..0));
    }
}
