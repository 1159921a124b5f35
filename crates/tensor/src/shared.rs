//! Memory that a run only reads.

use crate::{Buffer, DType, View};
use std::ptr::NonNull;
use std::sync::Arc;

/// Memory that others may read at the same time.
#[derive(Clone, Debug)]
pub enum Shared<'a> {
    /// A buffer that is kept alive.
    Kept(Arc<Buffer>),
    /// A caller's elements.
    Borrowed(View<'a>),
}

impl Shared<'_> {
    /// The elements' bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Kept(buffer) => buffer.bytes(),
            Self::Borrowed(view) => view.bytes(),
        }
    }

    /// The elements, of the type that they are.
    pub fn view(&self, dtype: DType) -> View<'_> {
        match self {
            Self::Kept(buffer) => buffer.view(dtype),
            Self::Borrowed(view) => *view,
        }
    }

    /// The memory as a buffer that outlives the borrow: the kept one, or a copy.
    pub fn to_buffer(&self) -> Result<Arc<Buffer>, crate::ShapeError> {
        match self {
            Self::Kept(buffer) => Ok(buffer.clone()),
            Self::Borrowed(view) => Buffer::copy_of(view.bytes()).map(Arc::new),
        }
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        match self {
            Self::Kept(buffer) => buffer.start(),
            Self::Borrowed(view) => NonNull::from(view.bytes()).cast(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }
}
