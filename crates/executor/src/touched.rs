//! Which rows of a table have ever been moved by Adam's rule.
//!
//! Of a table of embeddings most rows are used by no batch for a long time. Their moments are zeros, and an update leaves
//! them as they are to the bit: to know which they are saves reading and writing most of the table.

use ferrograph_kernels::optimizer::Rows;
use ferrograph_tensor::View;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The versions of a table's first and second moments.
pub(crate) type Versions = [u64; 2];

/// What is known of a table between the updates of one plan.
#[derive(Debug)]
pub(crate) struct Touched {
    /// Elements of a row.
    len: usize,
    /// By row: whether its moments or its gradient may be other than zeros.
    rows: Box<[AtomicBool]>,
    /// What it is known of; nothing while it is updated.
    known: Mutex<Option<Versions>>,
}

impl Touched {
    pub(crate) fn new(rows: usize, len: usize) -> Self {
        let rows = (0..rows).map(|_| AtomicBool::new(true)).collect();
        Self { len, rows, known: Mutex::new(None) }
    }

    /// Before an update of these moments.
    pub(crate) fn begin(&self, versions: Versions, moments: [View<'_>; 2]) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).take();
        if known != Some(versions) {
            // Somebody else has changed the moments.
            let [m, v] = moments.map(|moment| moment.f32().chunks_exact(self.len));
            for ((m, v), touched) in m.zip(v).zip(&self.rows) {
                let bits = |x: &[f32]| x.iter().fold(0, |bits, x| bits | x.to_bits());
                touched.store(bits(m) | bits(v) != 0, Ordering::Relaxed);
            }
        }
    }

    /// Notes that an update moves these rows, which are within the table.
    pub(crate) fn mark(&self, rows: &[i32]) {
        for &row in rows {
            self.rows[row as usize].store(true, Ordering::Relaxed);
        }
    }

    /// After an update that led to these versions.
    pub(crate) fn end(&self, versions: Versions) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(versions);
    }

    /// What an update of the elements from `start` on, whole rows, has to know.
    pub(crate) fn rows(&self, start: usize) -> Rows<'_> {
        Rows { len: self.len, touched: &self.rows[start / self.len..] }
    }
}
