//! Chains that one pass computes: a sum with a row, with another value, then the rectifier. They follow most convolutions
//! and products, and as one loop they cost no more than reading and writing.

use crate::fused::{Expansion, Instruction, Source, Target};
use ferrograph_graph::{Clamp, Simple};
use ferrograph_kernels::elementwise::{Rectifier, chain};
use ferrograph_tensor::Inputs;

/// Elements of a row at least: shorter ones are better laid out over a block first.
const LEAST_ROW: usize = 8;

/// `f(x + row + other)`; what is not there is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direct {
    /// The external that is `x`; otherwise it lies where the result goes.
    from: Option<usize>,
    /// An external that repeats after its last element.
    row: Option<usize>,
    /// An external with an element for each of `x`.
    other: Option<usize>,
    rectifier: Rectifier,
}

impl Direct {
    /// The chain as such a one: its only result is that of the last function, and each reads the one before.
    pub(crate) fn of(instructions: &[Instruction], expansions: &[Expansion], head: Option<usize>) -> Option<Self> {
        let mut direct = Self { from: None, row: None, other: None, rectifier: Rectifier::None };
        let mut x = match (head, instructions.first()?.operands[..].first()?) {
            (Some(slot), _) => Source::Slot(slot),
            (None, Source::External(external)) => {
                direct.from = Some(*external);
                Source::External(*external)
            }
            (None, _) => return None,
        };
        for (n, instruction) in instructions.iter().enumerate() {
            match (instruction.function.simple()?, &instruction.operands[..]) {
                (Simple::Add, &[a, b]) if direct.rectifier == Rectifier::None && (a == x) != (b == x) => {
                    direct.add(if a == x { b } else { a }, expansions)?;
                }
                (Simple::Rectify { max }, &[a]) if a == x && direct.rectifier == Rectifier::None => {
                    direct.rectifier = max.map_or(Rectifier::Below, Rectifier::Between);
                }
                _ => return None,
            }
            x = match instruction.target {
                Target::Slot(slot) if n + 1 < instructions.len() => Source::Slot(slot),
                Target::Result(0) if n + 1 == instructions.len() => break,
                Target::Slot(_) | Target::Result(_) => return None,
            };
        }
        // A single function has a loop of its own that reads and writes at once.
        (head.is_some() || instructions.len() > 1).then_some(direct)
    }

    /// One more term; rows come first.
    fn add(&mut self, term: Source, expansions: &[Expansion]) -> Option<()> {
        let slot = match term {
            Source::External(external) if self.other.is_none() => {
                self.other = Some(external);
                return Some(());
            }
            Source::Slot(slot) if self.row.is_none() && self.other.is_none() => slot,
            _ => return None,
        };
        let mut rows = expansions.iter().filter(|expansion| expansion.slot == slot);
        let (Some(row), None) = (rows.next(), rows.next()) else { return None };
        row.broadcast.period().filter(|&period| period >= LEAST_ROW)?;
        self.row = Some(row.external);
        Some(())
    }

    /// As an epilogue of nothing but a row and limits: these; the externals begin at `first` of the inputs.
    pub(crate) fn clamp<'a>(&self, inputs: Inputs<'a>, first: usize) -> Option<Clamp<'a>> {
        let Self { from: None, row: Some(row), other: None, rectifier } = *self else { return None };
        let (low, high) = match rectifier {
            Rectifier::None => (f32::NEG_INFINITY, f32::INFINITY),
            Rectifier::Below => (0.0, f32::INFINITY),
            Rectifier::Between(max) => (0.0, max),
        };
        Some(Clamp { bias: inputs.f32(first + row), low, high })
    }

    /// Computes the elements from `start` on; the externals begin at `first` of the inputs.
    pub(crate) fn run(&self, inputs: Inputs<'_>, first: usize, start: usize, y: &mut [f32], block: usize) {
        let external = |external: usize| inputs.f32(first + external);
        let row = self.row.map(external);
        let Some(from) = self.from.map(external) else {
            let other = self.other.map(|other| &external(other)[start..start + y.len()]);
            return chain(y, row, start, other, self.rectifier);
        };
        for (n, y) in y.chunks_mut(block).enumerate() {
            let at = start + n * block;
            let part = at..at + y.len();
            y.copy_from_slice(&from[part.clone()]);
            chain(y, row, at, self.other.map(|other| &external(other)[part]), self.rectifier);
        }
    }
}
