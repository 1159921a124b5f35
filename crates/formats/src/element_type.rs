//! The types that elements of stored tensors have.

/// The type of one element as a file holds it. Files know more types than the engine computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed, 1 byte.
    I8,
    /// Signed, 2 bytes.
    I16,
    /// Signed, 4 bytes.
    I32,
    /// Signed, 8 bytes.
    I64,
    /// Unsigned, 1 byte.
    U8,
    /// Unsigned, 2 bytes.
    U16,
    /// Unsigned, 4 bytes.
    U32,
    /// Unsigned, 8 bytes.
    U64,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    Bf16,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// A string in this many bytes, padded.
    FixedString(u32),
    /// A string of any length.
    VariableString,
}

impl ElementType {
    /// The name as NumPy and Keras write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::FixedString(_) | Self::VariableString => "string",
        }
    }

    /// Bytes per element; `None` for strings of variable length.
    pub const fn size(self) -> Option<u64> {
        match self {
            Self::Bool | Self::I8 | Self::U8 => Some(1),
            Self::I16 | Self::U16 | Self::F16 | Self::Bf16 => Some(2),
            Self::I32 | Self::U32 | Self::F32 => Some(4),
            Self::I64 | Self::U64 | Self::F64 => Some(8),
            Self::FixedString(size) => Some(size as u64),
            Self::VariableString => None,
        }
    }

    /// Whether the elements are numbers or truth values, so that their bytes are a tensor's data.
    pub const fn is_numeric(self) -> bool {
        !matches!(self, Self::FixedString(_) | Self::VariableString)
    }
}

/// The number of elements of `shape`, `None` when it does not fit in 64 bits. Zero extents are counted first, so that
/// `[2^40, 0, 2^40]` has 0 elements.
pub(crate) fn element_count(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1_u64, |count, &extent| count.checked_mul(extent))
}

/// The bytes that `shape` of `size`-byte elements takes, `None` when they do not fit in 64 bits.
pub(crate) fn byte_count(shape: &[u64], size: u64) -> Option<u64> {
    element_count(shape)?.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_without_overflow() {
        assert_eq!(element_count(&[]), Some(1));
        assert_eq!(element_count(&[1 << 40, 0, 1 << 40]), Some(0));
        assert_eq!(element_count(&[1 << 32, 1 << 32]), None);
        assert_eq!(byte_count(&[1 << 62], 4), None);
        assert_eq!(byte_count(&[3, 5], 4), Some(60));
    }
}
