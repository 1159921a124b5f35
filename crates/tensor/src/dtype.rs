//! Element types.

use std::fmt;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE 754 binary32: every computation on real numbers.
    Float32,
    /// Two's complement 32 bit: indices, labels and random state.
    Int32,
    /// One byte, 0 or 1: masks and comparisons.
    Bool,
    /// One byte, 0..=255: raw images. Cast before arithmetic.
    Uint8,
}

impl DType {
    /// Bytes one element takes.
    pub const fn size(self) -> usize {
        match self {
            Self::Float32 | Self::Int32 => 4,
            Self::Bool | Self::Uint8 => 1,
        }
    }

    /// Keras's name of the type, as files and messages write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Int32 => "int32",
            Self::Bool => "bool",
            Self::Uint8 => "uint8",
        }
    }

    /// The type of that name, if the engine computes with it.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Float32, Self::Int32, Self::Bool, Self::Uint8].into_iter().find(|d| d.name() == name)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
