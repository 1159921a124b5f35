//! Tolerances of samples that follow from arithmetic.

/// For a float32 sum of that many products of standard normal numbers, in units of a sample's tolerance.
///
/// After `k` products the sum is of size `sqrt(k)` and is rounded to some 0.6 units of that, so all roundings together
/// have a standard deviation of `0.3 * count` units. Five of them leave no room for luck.
pub(crate) fn sum_of_products(count: usize) -> f64 {
    4.0 + 1.5 * count as f64
}
