//! A loop inside the step before it: each part of the step's result goes through the loop as soon as it is final.

use crate::fused::Fused;
use ferrograph_tensor::{Inputs, ViewMut};
use std::array::from_fn;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Most sections of scratch memory.
pub(crate) const MAX_SECTIONS: usize = 32;

/// Scratch memory of one chunk, for each element type.
pub(crate) type Section<'a> = [ViewMut<'a>; 3];

/// A loop bound to the memory of a run.
pub(crate) struct Epilogue<'a> {
    fused: &'a Fused,
    inputs: Inputs<'a>,
    /// Each part is computed in one of these.
    sections: [Mutex<Section<'a>>; MAX_SECTIONS],
}

impl<'a> Epilogue<'a> {
    /// `inputs` are the step's operands and then the loop's; `scratch` is laid out as [`Fused::scratch`] says.
    pub(crate) fn new(fused: &'a Fused, inputs: Inputs<'a>, scratch: impl Iterator<Item = ViewMut<'a>>) -> Self {
        let mut sections = fused.sections(scratch);
        Self { fused, inputs, sections: from_fn(|_| Mutex::new(sections.next().unwrap_or_else(Fused::no_section))) }
    }

    /// Replaces the elements from `start` on by what the loop makes of them.
    pub(crate) fn apply(&self, start: usize, part: &mut [f32]) {
        if self.fused.run_directly(self.inputs, start, part) {
            return;
        }
        self.fused.run_in_place(self.inputs, start, part, &mut self.section(start));
    }

    /// A section that nobody uses, or else one that is soon free.
    pub(crate) fn section(&self, start: usize) -> MutexGuard<'_, Section<'a>> {
        let sections = &self.sections[..self.fused.section_count()];
        for section in sections {
            match section.try_lock() {
                Ok(section) => return section,
                Err(TryLockError::Poisoned(section)) => return section.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        sections[start % sections.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
