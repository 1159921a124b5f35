//! What recurrent kernels share: extents, weights in panels that hold all gates of a few units (`gates`), the step of a
//! cell on registers (`cell`), its activations (`activation`), threads that take the steps together (`lockstep`), the pass
//! over all steps (`forward`) and the products of the way back (`backward`), which read columns in `strips`.

pub(crate) mod activation;
pub(crate) mod backward;
pub(crate) mod cell;
pub(crate) mod forward;
pub(crate) mod gates;
mod lockstep;
pub(crate) mod strips;

use crate::pool;

/// The extents of a recurrent layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RecurrentShape {
    /// Sequences, `B`.
    pub batch: usize,
    /// Steps, `T`.
    pub steps: usize,
    /// Features of a step, `I`.
    pub input: usize,
    /// Units, `U`.
    pub units: usize,
}

impl RecurrentShape {
    /// Steps of all sequences.
    pub(crate) fn rows(&self) -> usize {
        self.batch.saturating_mul(self.steps)
    }

    /// Elements of a state.
    pub(crate) fn state_len(&self) -> usize {
        self.batch.saturating_mul(self.units)
    }

    /// The step of `x` that is processed as number `step`.
    pub(crate) fn source_step(&self, step: usize, reverse: bool) -> usize {
        if reverse { self.steps - 1 - step } else { step }
    }

    /// Whether all steps of `gates` gates together are worth waking a thread for, which costs 15 to 30 microseconds.
    fn is_shared(&self, gates: usize) -> bool {
        /// Multiply-adds, some 40 microseconds.
        const SHARED: usize = 4 << 20;
        let weights = self.units.saturating_mul(gates).saturating_mul(self.input.saturating_add(self.units));
        self.rows().saturating_mul(weights) >= SHARED
    }

    /// Sequences of a group, and how many groups the batch is cut into. Groups run through all steps without waiting for
    /// one another; the weights are read once a step for all sequences of a group.
    pub(crate) fn groups(&self, gates: usize) -> (usize, usize) {
        /// Sequences of a group at least, if there are several groups.
        const ROWS: usize = 4;
        let least = self.batch.div_ceil(cell::MAX_ROWS);
        let threads = pool::threads();
        let is_shared = self.batch / ROWS >= threads && self.is_shared(gates);
        let groups = if is_shared { least.next_multiple_of(threads) } else { least };
        let rows = self.batch.div_ceil(groups.max(1));
        (rows, self.batch.div_ceil(rows.max(1)))
    }
}

/// Copies a first state, or clears it.
pub(crate) fn set_or_zero(state: &mut [f32], initial: Option<&[f32]>) {
    match initial {
        Some(initial) => state.copy_from_slice(initial),
        None => state.fill(0.0),
    }
}
