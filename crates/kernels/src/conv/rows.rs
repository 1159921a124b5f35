//! Some rows of a convolution's result, as a convolution of some rows of the image.

use super::ConvShape;
use std::ops::Range;

impl ConvShape {
    /// The rows of an image that `rows` of the result are made of. Of no rows, none.
    pub fn reads(&self, rows: Range<usize>) -> Range<usize> {
        self.covers(&rows).1
    }

    /// The convolution of one image that is only the rows [`reads`](Self::reads) gives, and whose result is these `rows`.
    /// The padding above and below is what of it those rows meet.
    #[must_use]
    pub fn of_rows(&self, rows: Range<usize>) -> Self {
        let (covered, inside) = self.covers(&rows);
        let len = (covered.end - covered.start) as usize;
        // All of it where the windows lie above the image.
        let above = ((inside.start as i128 - covered.start).max(0) as usize).min(len);
        let below = len - above - inside.len();
        ConvShape { batch: 1, height: inside.len(), padding: [[above, below], self.padding[1]], ..*self }
    }

    /// What the windows of these rows cover along the image's height, the padding included, and the rows of it.
    fn covers(&self, rows: &Range<usize>) -> (Range<i128>, Range<usize>) {
        if rows.is_empty() {
            return (0..0, 0..0);
        }
        // 128 bits hold every sum and product of extents.
        let at = |row: usize| row as i128 * self.stride[0] as i128 - self.padding[0][0] as i128;
        let reach = (self.kernel[0].max(1) as i128 - 1) * self.dilation[0] as i128 + 1;
        let covered = at(rows.start)..at(rows.end - 1) + reach;
        let inside = |row: i128| row.clamp(0, self.height as i128) as usize;
        (covered.clone(), inside(covered.start)..inside(covered.end))
    }
}

#[cfg(test)]
mod tests {
    use crate::conv::ConvShape;
    use crate::conv::tests::PLAIN;
    use crate::depthwise;
    use crate::testing::{Random, bits};

    #[test]
    fn rows_have_the_bits_they_have_in_the_whole() {
        let mut random = Random::new(61);
        for (stride, padding, kernel, dilation) in [
            (1, [1, 1], 3, 1),
            (2, [0, 1], 3, 1),
            (2, [1, 1], 3, 1),
            (1, [0, 0], 1, 1),
            (3, [4, 5], 3, 2),
            (1, [9, 9], 3, 1),
        ] {
            let shape = ConvShape {
                batch: 1,
                height: 11,
                width: 6,
                in_channels: 20,
                out_channels: 20,
                kernel: [kernel; 2],
                stride: [stride; 2],
                dilation: [dilation; 2],
                padding: [padding; 2],
                groups: 20,
                ..PLAIN
            };
            let (x, taps) = (random.normal(shape.x_len()), random.normal(shape.kernel_len()));
            let mut whole = vec![0.0; shape.y_len()];
            depthwise::forward(&shape, &x, &taps, &mut whole);
            let (rows, row_len) = (shape.out_height(), shape.out_width() * 20);
            for start in 0..rows {
                for end in start + 1..=rows {
                    let part = shape.of_rows(start..end);
                    assert_eq!((part.out_height(), part.out_width()), (end - start, shape.out_width()));
                    let reads = shape.reads(start..end);
                    let mut y = vec![f32::NAN; (end - start) * row_len];
                    depthwise::forward(&part, &x[reads.start * 120..reads.end * 120], &taps, &mut y);
                    assert_eq!(bits(&y), bits(&whole[start * row_len..end * row_len]), "{start}..{end} {shape:?}");
                }
            }
            assert!(shape.reads(3..3).is_empty());
        }
    }
}
