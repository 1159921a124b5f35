//! What follows most convolutions, in one pass over a part of their result.

/// What a chain ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rectifier {
    /// Nothing.
    None,
    /// 0 for what is not above 0.
    Below,
    /// Also at most this.
    Between(f32),
}

/// `y = rectifier(y + row + other)` in place. The row repeats after its last element; element `i` of `y` meets element
/// `(start + i) % row.len()`. NaN stays.
///
/// Sums are formed from left to right, as by one loop after another.
pub fn chain(y: &mut [f32], row: Option<&[f32]>, start: usize, other: Option<&[f32]>, rectifier: Rectifier) {
    let row = row.filter(|row| !row.is_empty());
    match rectifier {
        Rectifier::None => with(y, row, start, other, |x| x),
        Rectifier::Below => with(y, row, start, other, |x| if x <= 0.0 { 0.0 } else { x }),
        Rectifier::Between(max) => with(y, row, start, other, move |x| {
            let positive = if x <= 0.0 { 0.0 } else { x };
            if positive > max { max } else { positive }
        }),
    }
}

fn with(y: &mut [f32], row: Option<&[f32]>, start: usize, other: Option<&[f32]>, f: impl Fn(f32) -> f32 + Copy) {
    match (row, other) {
        (None, None) => alone(y, f),
        (None, Some(other)) => sum(y, other, f),
        (Some(row), None) => rows(y, row, start, f),
        (Some(row), Some(other)) => sum_of_rows(y, row, start, other, f),
    }
}

ferrograph_simd::dispatch! {
    fn alone[F: Fn(f32) -> f32 + Copy](y: &mut [f32], f: F) {
        for y in y {
            *y = f(*y);
        }
    }

    fn sum[F: Fn(f32) -> f32 + Copy](y: &mut [f32], other: &[f32], f: F) {
        assert_eq!(y.len(), other.len());
        for (y, other) in y.iter_mut().zip(other) {
            *y = f(*y + *other);
        }
    }

    fn rows[F: Fn(f32) -> f32 + Copy](y: &mut [f32], row: &[f32], start: usize, f: F) {
        let (mut rest, mut at) = (y, start % row.len());
        while !rest.is_empty() {
            let (part, next) = rest.split_at_mut((row.len() - at).min(rest.len()));
            for (y, b) in part.iter_mut().zip(&row[at..]) {
                *y = f(*y + *b);
            }
            (rest, at) = (next, 0);
        }
    }

    fn sum_of_rows[F: Fn(f32) -> f32 + Copy](y: &mut [f32], row: &[f32], start: usize, other: &[f32], f: F) {
        assert_eq!(y.len(), other.len());
        let (mut rest, mut others, mut at) = (y, other, start % row.len());
        while !rest.is_empty() {
            let len = (row.len() - at).min(rest.len());
            let (part, next) = rest.split_at_mut(len);
            let (other, next_others) = others.split_at(len);
            for ((y, b), other) in part.iter_mut().zip(&row[at..]).zip(other) {
                *y = f(*y + *b + *other);
            }
            (rest, others, at) = (next, next_others, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_one_loop_after_another() {
        let special = [f32::NAN, -0.0, 0.0, f32::INFINITY, f32::NEG_INFINITY, 6.0, 7.5];
        for len in [0, 1, 7, 16, 33, 130] {
            let x: Vec<f32> =
                (0..len).map(|i| if i % 5 == 0 { special[i / 5 % 7] } else { i as f32 * 0.37 - 9.0 }).collect();
            let others: Vec<f32> = (0..len).map(|i| 3.0 - i as f32 * 0.11).collect();
            for (period, start) in [(1, 0), (3, 5), (16, 16), (40, 1000)] {
                let row: Vec<f32> = (0..period).map(|i| i as f32 * 0.7 - 4.0).collect();
                for (with_row, with_other) in [(false, false), (false, true), (true, false), (true, true)] {
                    for rectifier in [Rectifier::None, Rectifier::Below, Rectifier::Between(6.0)] {
                        let mut y = x.clone();
                        let other = with_other.then_some(&others[..]);
                        chain(&mut y, with_row.then_some(&row[..]), start, other, rectifier);
                        for (i, y) in y.iter().enumerate() {
                            let mut want = x[i];
                            if with_row {
                                want += row[(start + i) % period];
                            }
                            if with_other {
                                want += others[i];
                            }
                            if rectifier != Rectifier::None && want <= 0.0 {
                                want = 0.0;
                            }
                            if let Rectifier::Between(max) = rectifier {
                                want = if want > max { max } else { want };
                            }
                            assert!(y.to_bits() == want.to_bits() || (y.is_nan() && want.is_nan()), "{y} {want}");
                        }
                    }
                }
            }
        }
    }
}
