//! Extra fields of member headers.

use super::ZIP64_EXTRA;
use crate::bytes::Cursor;
use crate::error::{Error, Result};

/// Info-ZIP's field with a second name for the member. Readers differ in which name they believe.
const UNICODE_PATH_EXTRA: u16 = 0x7075;

/// The content of the zip64 field, if there is one, of `extra` at byte `at`.
pub(super) fn zip64(extra: &[u8], at: u64) -> Result<Option<Cursor<'_>>> {
    let mut cursor = Cursor::new(extra, at, "extra field");
    let mut found = None;
    while cursor.remaining() > 0 {
        if cursor.remaining() < 4 {
            // Alignment tools pad with up to three zero bytes, too few for a field.
            let rest = cursor.take(cursor.remaining())?;
            if rest.iter().any(|&byte| byte != 0) {
                return Err(Error::invalid("the extra field ends inside an entry").at(at));
            }
            break;
        }
        let (id, length) = (cursor.u16()?, cursor.u16()?);
        let start = cursor.offset();
        let content = cursor.take(usize::from(length)).map_err(|_| {
            Error::invalid(format!("extra field 0x{id:04x} of {length} bytes reaches past its header")).at(start)
        })?;
        match id {
            UNICODE_PATH_EXTRA => return Err(Error::invalid("the member has a second name").at(start)),
            ZIP64_EXTRA if found.is_some() => {
                return Err(Error::invalid("the member has two zip64 fields").at(start));
            }
            ZIP64_EXTRA => found = Some(Cursor::new(content, start, "zip64 field")),
            _ => {}
        }
    }
    Ok(found)
}
