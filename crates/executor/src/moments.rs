//! The chain by which Adam moves a weight, as one pass. As a loop over blocks it waits for the memory in some functions and
//! for roots and quotients in others, and takes more than twice as long.

use crate::fused::{Expansion, Instruction, Source, Target};
use crate::touched::Touched;
use ferrograph_graph::Simple;
use ferrograph_kernels::optimizer::Adam;
use ferrograph_tensor::{Inputs, View, ViewMut};

/// Two moving averages, of a gradient and its square, and the step that follows from them.
#[derive(Debug)]
pub(crate) struct Moments {
    adam: Adam,
    /// The external that is the gradient; otherwise the step before the loop makes it.
    gradient: Option<usize>,
    /// The first moment, the second and the weight.
    moved: [Moved; 3],
    /// The external that is the size of the step.
    alpha: usize,
    /// Whether the moments lie where their next values go, and are no externals. The weight does with `touched`.
    in_place: bool,
    /// What is known of the rows of a table.
    touched: Option<Touched>,
}

/// The externals and the results of a moment or a weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub from: usize,
    pub to: usize,
}

impl Moments {
    /// The chain as such a one.
    pub(crate) fn of(instructions: &[Instruction], expansions: &[Expansion], head: Option<usize>) -> Option<Self> {
        let [_, _, _, step] = instructions else { return None };
        let (Some(Simple::AdamStep { epsilon }), Target::Result(w)) = (step.function.simple(), step.target) else {
            return None;
        };
        let &[Source::External(weight), Source::Result(m), Source::Result(v), Source::Slot(alpha)] = &step.operands[..]
        else {
            return None;
        };
        // The moving average that is that result, as its weight, the external before and what it moves towards.
        let average = |result: usize| {
            let lerp = instructions.iter().find(|i| matches!(i.target, Target::Result(r) if r == result))?;
            match (lerp.function.simple()?, &lerp.operands[..]) {
                (Simple::Lerp { weight }, &[Source::External(before), towards]) => Some((weight, before, towards)),
                _ => None,
            }
        };
        let (first, before_m, gradient) = average(m)?;
        let (second, before_v, square) = average(v)?;
        let squares = instructions.iter().filter(|i| i.function.simple() == Some(Simple::Square));
        let mut squares = squares.filter(|i| {
            i.operands == [gradient] && matches!((i.target, square), (Target::Slot(a), Source::Slot(b)) if a == b)
        });
        squares.next()?;
        let gradient = match gradient {
            Source::External(external) => Some(external),
            Source::Slot(slot) if Some(slot) == head => None,
            _ => return None,
        };
        let alpha = expansions.iter().find(|e| e.slot == alpha && e.broadcast.period() == Some(1))?.external;
        Some(Self {
            adam: Adam { first, second, epsilon },
            gradient,
            moved: [(before_m, m), (before_v, v), (weight, w)].map(|(from, to)| Moved { from, to }),
            alpha,
            in_place: false,
            touched: None,
        })
    }

    /// The first moment, the second and the weight.
    pub(crate) fn moved(&self) -> [Moved; 3] {
        self.moved
    }

    /// Lets the moments lie where their next values go, and with `touched`, which is what is known of the rows of what is
    /// moved, the weight as well. The step before makes such rows whole.
    pub(crate) fn move_in_place(&mut self, touched: Option<Touched>) {
        (self.in_place, self.touched) = (true, touched);
    }

    pub(crate) fn touched(&self) -> Option<&Touched> {
        self.touched.as_ref()
    }

    /// The addresses of the moments and the weight from element `start` on, which is element `at` of the results' memory. None
    /// where rows are left out.
    pub(crate) fn reads(
        &self,
        inputs: Inputs<'_>,
        first: usize,
        start: usize,
        (results, at): (&[View<'_>], usize),
    ) -> Option<[usize; 3]> {
        let address = |data: &[f32], at: usize| Some(data.get(at..)?.as_ptr().addr());
        let external = |moved: Moved| address(inputs.f32(first + moved.from), start);
        let moment = |n: usize| {
            let moved: Moved = self.moved[n];
            if self.in_place { address(results[moved.to].f32(), at) } else { external(moved) }
        };
        if self.touched.is_some() { None } else { Some([moment(0)?, moment(1)?, external(self.moved[2])?]) }
    }

    /// Computes the elements from `start` on; the externals begin at `first` of the inputs. `head` is what the step before
    /// has made of them, if there is one.
    pub(crate) fn run(
        &self,
        inputs: Inputs<'_>,
        first: usize,
        start: usize,
        head: Option<&[f32]>,
        results: &mut [ViewMut<'_>],
    ) {
        let external = |external: usize| inputs.f32(first + external);
        let mut to = self.moved.map(|moved| std::mem::replace(&mut results[moved.to], ViewMut::U8(&mut [])));
        let [m, v, next] = to.each_mut().map(|to| to.reborrow().f32());
        let part = start..start + next.len();
        let gradient = match (self.gradient, head) {
            (Some(gradient), _) => &external(gradient)[part.clone()],
            (None, head) => head.unwrap_or_default(),
        };
        let alpha = external(self.alpha)[0];
        let w = || &external(self.moved[2].from)[part.clone()];
        if let Some(touched) = &self.touched {
            self.adam.update_rows(alpha, gradient, [m, v, next], touched.rows(start));
        } else if self.in_place {
            self.adam.update(alpha, gradient, [m, v], w(), next);
        } else {
            let w = w();
            let [from_m, from_v] = [0, 1].map(|n| &external(self.moved[n].from)[part.clone()]);
            for at in (0..part.len()).step_by(BLOCK) {
                let block = at..part.len().min(at + BLOCK);
                let (m, v) = (&mut m[block.clone()], &mut v[block.clone()]);
                m.copy_from_slice(&from_m[block.clone()]);
                v.copy_from_slice(&from_v[block.clone()]);
                self.adam.update(alpha, &gradient[block.clone()], [m, v], &w[block.clone()], &mut next[block]);
            }
        }
        for (moved, to) in self.moved.into_iter().zip(to) {
            results[moved.to] = to;
        }
    }
}

/// Elements that are copied before they are moved: they stay in the first-level cache.
const BLOCK: usize = 1024;
