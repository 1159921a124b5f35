//! The chain by which Adam moves a weight, as one pass. As a loop over blocks it waits for the memory in some functions and
//! for roots and quotients in others, and takes more than twice as long.

use crate::fused::{Expansion, Instruction, Source, Target};
use ferrograph_graph::Simple;
use ferrograph_kernels::optimizer::Adam;
use ferrograph_tensor::{Inputs, ViewMut};

/// Two moving averages, of a gradient and its square, and the step that follows from them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    adam: Adam,
    /// The external that is the gradient; otherwise the step before the loop makes it.
    gradient: Option<usize>,
    /// The externals that are the first moment, the second and the weight.
    from: [usize; 3],
    /// The results that are their next values.
    to: [usize; 3],
    /// The external that is the size of the step.
    alpha: usize,
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
            from: [before_m, before_v, weight],
            to: [m, v, w],
            alpha,
        })
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
        let mut to = self.to.map(|result| std::mem::replace(&mut results[result], ViewMut::U8(&mut [])));
        let part = start..start + to[0].as_view().len();
        let gradient = match (self.gradient, head) {
            (Some(gradient), _) => &external(gradient)[part.clone()],
            (None, head) => head.unwrap_or_default(),
        };
        let from = self.from.map(|from| &external(from)[part.clone()]);
        let alpha = external(self.alpha)[0];
        self.adam.update(alpha, gradient, from, to.each_mut().map(|to| to.reborrow().f32()));
        for (result, to) in self.to.into_iter().zip(to) {
            results[result] = to;
        }
    }
}
