//! The one error type of this crate.

use std::fmt;

/// The result of every fallible function here.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of trouble a file, or a request to write one, is in. The text of [`ErrorCode::as_str`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The file, or a structure in it, ends before something that it announces.
    Truncated,
    /// The file contradicts its format or itself.
    Invalid,
    /// A checksum stored in the file differs from that of the bytes it covers.
    Checksum,
    /// The file is well formed but uses a feature that this reader refuses or does not know.
    Unsupported,
    /// Reading on would exceed a limit, or memory is exhausted.
    Limit,
    /// An archive lacks a member that it needs.
    MissingMember,
    /// A weights file has no tensor at the path asked for.
    MissingTensor,
    /// What the caller gave cannot be written.
    Argument,
}

impl ErrorCode {
    /// The machine-readable name, for example `FILE_TRUNCATED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "FILE_TRUNCATED",
            Self::Invalid => "FILE_INVALID",
            Self::Checksum => "FILE_CHECKSUM",
            Self::Unsupported => "FILE_UNSUPPORTED",
            Self::Limit => "FILE_LIMIT",
            Self::MissingMember => "FILE_MISSING_MEMBER",
            Self::MissingTensor => "FILE_MISSING_TENSOR",
            Self::Argument => "FILE_ARGUMENT",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    member: Option<String>,
    path: Option<String>,
    offset: Option<u64>,
}

/// What went wrong with a file and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    message: String,
    place: Box<Place>,
}

impl Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: Box::default() }
    }

    pub(crate) fn truncated(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Truncated, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unsupported, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Limit, message)
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Argument, message)
    }

    /// Adds the byte offset, unless a more precise one is known already.
    #[must_use]
    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.place.offset.get_or_insert(offset);
        self
    }

    /// Adds the path inside an HDF5 file, unless known already.
    #[must_use]
    pub(crate) fn in_path(mut self, path: &str) -> Self {
        self.place.path.get_or_insert_with(|| format!("/{path}"));
        self
    }

    /// Adds the archive member, unless known already.
    #[must_use]
    pub(crate) fn in_member(mut self, member: &str) -> Self {
        self.place.member.get_or_insert_with(|| member.to_owned());
        self
    }

    /// The kind of trouble.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What was wanted and what was found, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The archive member concerned.
    pub fn member(&self) -> Option<&str> {
        self.place.member.as_deref()
    }

    /// The path of the group or dataset concerned, with a leading slash.
    pub fn path(&self) -> Option<&str> {
        self.place.path.as_deref()
    }

    /// The offset in bytes from the start of the member, or of the file where there is no member.
    pub fn offset(&self) -> Option<u64> {
        self.place.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut separator = " (";
        if let Some(member) = self.member() {
            write!(f, "{separator}member '{}'", member.escape_debug())?;
            separator = ", ";
        }
        if let Some(path) = self.path() {
            write!(f, "{separator}path '{}'", path.escape_debug())?;
            separator = ", ";
        }
        if let Some(offset) = self.offset() {
            write!(f, "{separator}byte {offset}")?;
            separator = ", ";
        }
        if separator == ", " {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_known_place() {
        let error = Error::invalid("expected 'TREE', received 'TREF'")
            .at(136)
            .in_path("layers/dense")
            .in_member("model.weights.h5");
        assert_eq!(
            error.to_string(),
            "expected 'TREE', received 'TREF' (member 'model.weights.h5', path '/layers/dense', byte 136)"
        );
        assert_eq!(error.code().as_str(), "FILE_INVALID");
    }

    #[test]
    fn keeps_the_first_and_most_precise_place() {
        let error = Error::truncated("x").at(1).at(2).in_path("a").in_path("b");
        assert_eq!((error.offset(), error.path()), (Some(1), Some("/a")));
        assert_eq!(Error::limit("plain").to_string(), "plain");
    }
}
