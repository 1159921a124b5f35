//! Values of the f64 reference interpreter.

use ferrograph_tensor::{DType, element_count, strides};

/// A tensor in f64, whatever its type: the plain side of every comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The type the values stand for. Integers and booleans are whole numbers.
    pub dtype: DType,
    /// Extents.
    pub shape: Vec<usize>,
    /// Row-major elements.
    pub data: Vec<f64>,
}

impl Reference {
    /// A tensor of the given elements.
    ///
    /// # Panics
    /// When their number is not the shape's.
    pub fn new(dtype: DType, shape: &[usize], data: Vec<f64>) -> Self {
        assert_eq!(element_count(shape), Ok(data.len()), "{shape:?}");
        Self { dtype, shape: shape.to_vec(), data }
    }

    /// Elements computed from their index along each axis.
    pub fn from_fn(dtype: DType, shape: &[usize], mut f: impl FnMut(&[usize]) -> f64) -> Self {
        let data = indices(shape).iter().map(|index| f(index)).collect();
        Self::new(dtype, shape, data)
    }

    /// The element at `index`.
    pub fn at(&self, index: &[usize]) -> f64 {
        let offset: usize = index.iter().zip(strides(&self.shape)).map(|(i, s)| i * s).sum();
        self.data[offset]
    }

    /// The element that `index` of a broader shape reads, as NumPy broadcasts.
    pub fn at_broadcast(&self, index: &[usize]) -> f64 {
        let skipped = index.len() - self.shape.len();
        let own: Vec<usize> = index[skipped..].iter().zip(&self.shape).map(|(&i, &n)| i.min(n - 1)).collect();
        self.at(&own)
    }
}

/// Every index of `shape` in row-major order.
pub fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for &extent in shape {
        all = all.iter().flat_map(|prefix| (0..extent).map(move |i| [prefix.as_slice(), &[i]].concat())).collect();
    }
    all
}
