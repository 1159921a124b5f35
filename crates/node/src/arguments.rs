//! Numbers, names and lists that come from JavaScript.

use crate::error::Failure;
use ferrograph_graph::Extent;
use ferrograph_tensor::{DType, MAX_RANK};
use napi::bindgen_prelude::{Array, Either, FromNapiValue, Null, Unknown};

/// The largest integer that a JavaScript number tells from its neighbours: 2^53 - 1.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
/// More operands, outputs or inputs than this are a mistake.
const MAX_LIST: u32 = 1 << 20;

/// A whole number from 0 to 2^53 - 1.
pub(crate) fn whole(name: &str, value: f64) -> Result<usize, Failure> {
    let fits = value.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER).contains(&value);
    // On a 64-bit system nothing is lost; on others `try_from` refuses.
    let number = if fits { usize::try_from(value as u64).ok() } else { None };
    number.ok_or_else(|| Failure::argument(name, "an integer from 0 to 2^53 - 1", value.to_string()))
}

/// A data type by its Keras name.
pub(crate) fn dtype(name: &str) -> Result<DType, Failure> {
    DType::from_name(name).ok_or_else(|| {
        Failure::argument("dtype", "'float32', 'int32', 'bool' or 'uint8'", format!("'{}'", shorten(name)))
    })
}

/// Extents that are all known.
pub(crate) fn shape(extents: &Array<'_>) -> Result<Vec<usize>, Failure> {
    check_rank(extents.len())?;
    list(extents, "shape", "a number")?.into_iter().map(|extent: f64| whole("shape", extent)).collect()
}

/// Extents of which `null` is not known.
pub(crate) fn partial_shape(extents: &Array<'_>) -> Result<Vec<Extent>, Failure> {
    check_rank(extents.len())?;
    let extents: Vec<Either<f64, Null>> = list(extents, "shape", "a number or null")?;
    let extent = |extent| match extent {
        Either::A(extent) => whole("shape", extent).map(Some),
        Either::B(Null) => Ok(None),
    };
    extents.into_iter().map(extent).collect()
}

/// Numbers that stand for values of a graph.
pub(crate) fn indices(ids: &Array<'_>, name: &str) -> Result<Vec<usize>, Failure> {
    list(ids, name, "a number")?.into_iter().map(|id: f64| whole(name, id)).collect()
}

/// The elements of an array, each of which is `expected`. An array may claim any length, so nothing is reserved for more
/// than [`MAX_LIST`].
pub(crate) fn list<T: FromNapiValue>(array: &Array<'_>, name: &str, expected: &str) -> Result<Vec<T>, Failure> {
    if array.len() > MAX_LIST {
        return Err(Failure::argument(name, format!("at most {MAX_LIST} elements"), array.len().to_string()));
    }
    let mut elements = Vec::with_capacity(array.len() as usize);
    for index in 0..array.len() {
        let Some(element) = array.get(index).ok().flatten() else {
            let received = array.get::<Unknown<'_>>(index).ok().flatten().and_then(|value| value.get_type().ok());
            let received = received.map_or_else(|| "nothing".to_owned(), |ty| format!("another {ty}").to_lowercase());
            return Err(Failure::argument(&format!("{name}[{index}]"), expected, received));
        };
        elements.push(element);
    }
    Ok(elements)
}

/// A text for a message, not longer than a line.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn check_rank(rank: u32) -> Result<(), Failure> {
    if rank as usize <= MAX_RANK {
        return Ok(());
    }
    Err(Failure::argument("shape", format!("at most {MAX_RANK} extents"), rank.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_whole() {
        assert_eq!(whole("n", 0.0).unwrap(), 0);
        assert_eq!(whole("n", -0.0).unwrap(), 0);
        assert_eq!(whole("n", MAX_SAFE_INTEGER).unwrap(), (1 << 53) - 1);
        for refused in [-1.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, MAX_SAFE_INTEGER + 1.0] {
            assert!(whole("n", refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shorten("float16"), "float16");
        assert_eq!(shorten(&"é".repeat(100)), format!("{}...", "é".repeat(80)));
    }
}
