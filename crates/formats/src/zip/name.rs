//! Which member names are safe.

use super::FLAG_UTF8;
use crate::error::{Error, Result};

/// Decodes a member's name and refuses every name that could leave the archive or be read in two ways: absolute,
/// with `.`, `..` or empty components, backslashes, drive letters, control characters, or not UTF-8.
pub(super) fn decode(raw: &[u8], flags: u16, at: u64) -> Result<String> {
    let name = std::str::from_utf8(raw)
        .map_err(|_| Error::invalid(format!("the member name '{}' is not UTF-8", raw.escape_ascii())).at(at))?;
    if !name.is_ascii() && flags & FLAG_UTF8 == 0 {
        return Err(Error::invalid(format!(
            "the member name '{}' is not ASCII and not marked as UTF-8",
            name.escape_debug()
        ))
        .at(at));
    }
    check(name).map_err(|reason| {
        Error::invalid(format!("the member name '{}' is refused: {reason}", name.escape_debug())).at(at)
    })?;
    Ok(name.to_owned())
}

/// Says what is wrong with a name. A single trailing slash marks a directory.
pub(super) fn check(name: &str) -> std::result::Result<(), &'static str> {
    let path = name.strip_suffix('/').unwrap_or(name);
    if path.starts_with('/') {
        return Err("it is absolute");
    }
    if path.contains('\\') {
        return Err("it contains a backslash");
    }
    if path.contains(':') {
        return Err("it contains a colon");
    }
    if path.chars().any(char::is_control) {
        return Err("it contains a control character");
    }
    for component in path.split('/') {
        match component {
            "" => return Err("it has an empty component"),
            "." | ".." => return Err("it has a '.' or '..' component"),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_paths_only() {
        for good in ["config.json", "assets/layers/a/vocabulary.txt", "assets/", "a..b", "å/ß"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "/", "/etc", "..", "a/../b", "a//b", "./a", "a\\b", "C:x", "a\0b", "a//", "a/.", "\n"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn needs_the_flag_for_non_ascii_names() {
        assert!(decode("å".as_bytes(), 0, 0).is_err());
        assert_eq!(decode("å".as_bytes(), FLAG_UTF8, 0).unwrap(), "å");
        assert!(decode(b"\xff", FLAG_UTF8, 0).is_err());
    }
}
