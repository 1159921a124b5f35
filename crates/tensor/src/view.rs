//! Borrowed elements, typed.

use crate::DType;
use std::ptr::NonNull;

/// Elements to read. `Bool` and `Uint8` are both bytes.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// `float32`
    F32(&'a [f32]),
    /// `int32`
    I32(&'a [i32]),
    /// `bool` (0 or 1) or `uint8`
    U8(&'a [u8]),
}

/// Elements to write. `Bool` and `Uint8` are both bytes.
#[derive(Debug)]
pub enum ViewMut<'a> {
    /// `float32`
    F32(&'a mut [f32]),
    /// `int32`
    I32(&'a mut [i32]),
    /// `bool` (0 or 1) or `uint8`
    U8(&'a mut [u8]),
}

macro_rules! accessor {
    ($name:ident, $variant:ident, $type:ty, $words:literal) => {
        #[doc = concat!("The elements as ", $words, ".\n\n# Panics\nWhen they are of another type: an op planned for a type it did not infer.")]
        pub fn $name(self) -> $type {
            match self {
                Self::$variant(elements) => elements,
                other => unreachable!("expected {} elements, received {other:?}", $words),
            }
        }
    };
}

impl<'a> View<'a> {
    accessor!(f32, F32, &'a [f32], "float32");
    accessor!(i32, I32, &'a [i32], "int32");
    accessor!(u8, U8, &'a [u8], "bool or uint8");

    /// The number of elements.
    pub fn len(self) -> usize {
        match self {
            Self::F32(x) => x.len(),
            Self::I32(x) => x.len(),
            Self::U8(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The elements' bytes.
    pub fn bytes(self) -> &'a [u8] {
        let (start, bytes) = match self {
            Self::F32(x) => (x.as_ptr().cast(), size_of_val(x)),
            Self::I32(x) => (x.as_ptr().cast(), size_of_val(x)),
            Self::U8(x) => (x.as_ptr(), x.len()),
        };
        // SAFETY: these are the bytes of a slice that is borrowed for `'a`; numbers have no padding.
        unsafe { std::slice::from_raw_parts(start, bytes) }
    }

    /// Elements `range` of these.
    ///
    /// # Panics
    /// When the range is out of bounds.
    #[must_use]
    pub fn slice(self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::F32(x) => Self::F32(&x[range]),
            Self::I32(x) => Self::I32(&x[range]),
            Self::U8(x) => Self::U8(&x[range]),
        }
    }

    /// These bytes as elements: `None` unless they are whole, aligned elements. A `bool` has to be 0 or 1.
    pub fn of_bytes(dtype: DType, bytes: &'a [u8]) -> Option<Self> {
        let start = NonNull::from(bytes).cast::<u8>();
        if ![bytes.len(), start.as_ptr().addr()].iter().all(|n| n.is_multiple_of(dtype.size())) {
            return None;
        }
        // SAFETY: the bytes are borrowed for `'a`, whole elements and aligned for a type of that size, as just checked; any
        // bytes are numbers.
        Some(unsafe { Self::from_raw(dtype, start, bytes.len()) })
    }

    /// # Safety
    /// `start` points at `bytes` initialised bytes, aligned for `dtype`, that nobody writes during `'a`.
    pub(crate) unsafe fn from_raw(dtype: DType, start: NonNull<u8>, bytes: usize) -> Self {
        let n = bytes / dtype.size();
        // SAFETY: the caller's promise; `n` elements of that size lie within `bytes`.
        unsafe {
            match dtype {
                DType::Float32 => Self::F32(std::slice::from_raw_parts(start.as_ptr().cast(), n)),
                DType::Int32 => Self::I32(std::slice::from_raw_parts(start.as_ptr().cast(), n)),
                DType::Bool | DType::Uint8 => Self::U8(std::slice::from_raw_parts(start.as_ptr(), n)),
            }
        }
    }
}

impl<'a> ViewMut<'a> {
    accessor!(f32, F32, &'a mut [f32], "float32");
    accessor!(i32, I32, &'a mut [i32], "int32");
    accessor!(u8, U8, &'a mut [u8], "bool or uint8");

    /// The same elements under a shorter borrow.
    pub fn reborrow(&mut self) -> ViewMut<'_> {
        match self {
            Self::F32(x) => ViewMut::F32(x),
            Self::I32(x) => ViewMut::I32(x),
            Self::U8(x) => ViewMut::U8(x),
        }
    }

    /// The same elements, to read.
    pub fn as_view(&self) -> View<'_> {
        match self {
            Self::F32(x) => View::F32(x),
            Self::I32(x) => View::I32(x),
            Self::U8(x) => View::U8(x),
        }
    }

    /// The first `middle` of these and the others, to be written apart.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn split_at(self, middle: usize) -> (Self, Self) {
        match self {
            Self::F32(x) => {
                let (a, b) = x.split_at_mut(middle);
                (Self::F32(a), Self::F32(b))
            }
            Self::I32(x) => {
                let (a, b) = x.split_at_mut(middle);
                (Self::I32(a), Self::I32(b))
            }
            Self::U8(x) => {
                let (a, b) = x.split_at_mut(middle);
                (Self::U8(a), Self::U8(b))
            }
        }
    }

    /// Elements `range` of these.
    ///
    /// # Panics
    /// When the range is out of bounds.
    #[must_use]
    pub fn slice(self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::F32(x) => Self::F32(&mut x[range]),
            Self::I32(x) => Self::I32(&mut x[range]),
            Self::U8(x) => Self::U8(&mut x[range]),
        }
    }

    /// Copies `source` here.
    ///
    /// # Panics
    /// When the types or the lengths differ.
    pub fn copy_from(&mut self, source: View<'_>) {
        match (self, source) {
            (Self::F32(to), View::F32(from)) => to.copy_from_slice(from),
            (Self::I32(to), View::I32(from)) => to.copy_from_slice(from),
            (Self::U8(to), View::U8(from)) => to.copy_from_slice(from),
            (to, from) => unreachable!("expected elements of one type, received {from:?} for {to:?}"),
        }
    }

    /// # Safety
    /// As [`View::from_raw`], and nobody else reads or writes the bytes during `'a`.
    pub(crate) unsafe fn from_raw(dtype: DType, start: NonNull<u8>, bytes: usize) -> Self {
        let n = bytes / dtype.size();
        // SAFETY: the caller's promise; `n` elements of that size lie within `bytes`.
        unsafe {
            match dtype {
                DType::Float32 => Self::F32(std::slice::from_raw_parts_mut(start.as_ptr().cast(), n)),
                DType::Int32 => Self::I32(std::slice::from_raw_parts_mut(start.as_ptr().cast(), n)),
                DType::Bool | DType::Uint8 => Self::U8(std::slice::from_raw_parts_mut(start.as_ptr(), n)),
            }
        }
    }
}
