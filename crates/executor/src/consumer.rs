//! A loop that uses up the result of the step before it, which makes it in parts and never has all of it.

use crate::epilogue::Epilogue;
use crate::fused::Fused;
use crate::moments::Moments;
use ferrograph_tensor::{Inputs, Outputs, ViewMut};
use std::array::from_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most parts of a result.
pub(crate) const MAX_PARTS: usize = 64;
/// Most results of the loop.
pub(crate) const MAX_RESULTS: usize = 4;

/// A loop bound to the memory of a run.
pub(crate) struct Consumer<'a> {
    fused: &'a Fused,
    inputs: Inputs<'a>,
    sections: Epilogue<'a>,
    /// Elements of a part.
    len: usize,
    /// The memory of the loop's results, cut as the parts are.
    results: [Mutex<[ViewMut<'a>; MAX_RESULTS]>; MAX_PARTS],
}

impl<'a> Consumer<'a> {
    /// As [`Epilogue::new`]; `len` is that of a part, of which there are at most [`MAX_PARTS`], and `results` are at most
    /// [`MAX_RESULTS`].
    pub(crate) fn new(
        fused: &'a Fused,
        inputs: Inputs<'a>,
        results: Outputs<'a>,
        scratch: impl Iterator<Item = ViewMut<'a>>,
        len: usize,
    ) -> Self {
        let mut views = results.into_views();
        let mut rest: [ViewMut<'a>; MAX_RESULTS] = from_fn(|_| views.next().unwrap_or_else(nothing));
        let results = from_fn(|_| {
            Mutex::new(rest.each_mut().map(|rest| {
                let whole = std::mem::replace(rest, nothing());
                let middle = whole.as_view().len().min(len);
                let (part, left) = whole.split_at(middle);
                *rest = left;
                part
            }))
        });
        Self { fused, inputs, sections: Epilogue::new(fused, inputs, scratch), len, results }
    }

    /// The loop's results for the elements of a part, and where the element `start` is in it.
    fn results(&self, start: usize) -> (MutexGuard<'_, [ViewMut<'a>; MAX_RESULTS]>, usize) {
        let (part, at) = (start / self.len, start % self.len);
        (self.results[part].lock().unwrap_or_else(PoisonError::into_inner), at)
    }
}

impl ferrograph_graph::Consumer for Consumer<'_> {
    fn consume(&self, start: usize, piece: &mut [f32]) {
        let (mut results, at) = self.results(start);
        let results = results.iter_mut().filter(|result| !result.as_view().is_empty());
        let results = results.map(|result| result.reborrow().slice(at..at + piece.len()));
        let mut section = self.sections.section(start);
        self.fused.run_on_part(self.inputs, start, piece, results, &mut section.each_mut().map(ViewMut::reborrow));
    }

    fn expect_rows(&self, rows: &[i32]) {
        if let Some(touched) = self.fused.moments().and_then(Moments::touched) {
            touched.mark(rows);
        }
    }

    fn reads(&self, start: usize) -> Option<[usize; 3]> {
        let (results, at) = self.results(start);
        let results = results.each_ref().map(ViewMut::as_view);
        self.fused.moments()?.reads(self.inputs, self.fused.first_external(), start, (&results, at))
    }
}

/// What stands where there is no result.
fn nothing<'a>() -> ViewMut<'a> {
    ViewMut::U8(&mut [])
}
