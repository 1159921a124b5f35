//! Variables that a run changes where they lie: the moments of Adam's rule, which nothing but their own update reads, and
//! the weights of tables of which it moves some rows.
//!
//! To write them to other memory takes 1.2 times as long. But what is overwritten cannot be had back, so a run begins with
//! it only when nothing can make it fail any more: whatever the data may be refused for is asked before.
//!
//! Predictions read weights, and would wait while they are changed, so those of a table are taken no earlier than they are
//! updated; that is when a gradient has come back to where the run began. Who holds them then keeps them: they are copied.

use crate::ProgramError;
use crate::arenas::Room;
use crate::flow::Flow;
use crate::plan::{Action, Plan};
use crate::touched::{Touched, Versions};
use crate::units::Unit;
use ferrograph_graph::{Plan as OpPlan, ValueId, Variable};
use ferrograph_tensor::{Arena, Buffer, DType, ShapeError, Shared};
use std::slice::from_ref;
use std::sync::Arc;

/// What a plan changes where it lies.
#[derive(Debug, Default)]
pub(crate) struct InPlace {
    /// The action that is the first to do so; none without [`Self::taken`].
    pub first: usize,
    /// The updates that are made so, by their place in the list.
    pub taken: Vec<usize>,
    /// By update: whether it is.
    is_taken: Vec<bool>,
    /// Updates by rows.
    pub tables: Vec<Table>,
}

/// A table that is updated by rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// The action that updates it.
    pub action: usize,
    /// The updates that are its moments.
    pub moments: [usize; 2],
    /// The update that is its weights.
    pub weights: usize,
    /// The shared buffer that is its weights when the run begins.
    pub before: usize,
    /// Whether that is read after the update, too.
    pub is_read_later: bool,
}

/// The first unit from which on a run can ask before it changes anything what it may fail for: what decides on that is made
/// before.
pub(crate) fn first_unit(flow: &Flow<'_>, units: &[Unit]) -> usize {
    let mut unit_of = vec![0; flow.graph.nodes().len()];
    for (at, unit) in units.iter().enumerate() {
        for &node in unit {
            unit_of[node] = at;
        }
    }
    let mut first = 0;
    for (at, unit) in units.iter().enumerate() {
        for &node in unit {
            let Some(OpPlan::Step(step)) = &flow.plans[node] else { continue };
            let Some(operand) = step.doubted() else { continue };
            let alone = node == unit[0] && unit.iter().filter(|&&node| !flow.is_elementwise(node)).count() == 1;
            let decided =
                flow.producer(flow.graph.nodes()[node].operands[operand]).map_or(0, |maker| unit_of[maker] + 1);
            // Only an action's first step is asked.
            first = first.max(if alone { decided } else { at + 1 });
        }
    }
    first
}

/// The variable that `id` is, if nothing but one node reads it.
pub(crate) fn read_once<'f>(flow: &'f Flow<'_>, leaves: &[bool], id: ValueId) -> Option<&'f Arc<Variable>> {
    let root = flow.root(id);
    let ferrograph_graph::Origin::Variable(variable) = flow.graph.origin(root) else { return None };
    let reads = (0..flow.graph.nodes().len()).flat_map(|node| flow.reads(node));
    let reads = reads.filter(|(_, id)| flow.root(*id) == root).count();
    (reads == 1 && !leaves[root.index()] && flow.bytes(root) > 0).then_some(variable)
}

impl InPlace {
    /// Adds updates that action `at` makes so, which is none before those added earlier.
    pub(crate) fn add(&mut self, at: usize, updates: [usize; 2]) {
        if self.taken.is_empty() {
            self.first = at;
        }
        self.taken.extend(updates);
        let len = self.is_taken.len().max(updates[0].max(updates[1]) + 1);
        self.is_taken.resize(len, false);
        for update in updates {
            self.is_taken[update] = true;
        }
    }

    /// Whether an update is made so.
    pub(crate) fn takes(&self, update: usize) -> bool {
        self.is_taken.get(update).is_some_and(|taken| *taken)
    }

    /// Whether a run that has come to this action takes the values now.
    pub(crate) fn begins_at(&self, action: usize) -> bool {
        action == self.first && !self.taken.is_empty()
    }

    /// Takes the variables' values to change them: nothing fails any more after this. With `copies` they are copied instead
    /// and nothing changes.
    pub(crate) fn begin(
        &self,
        plan: &Plan,
        updated: &[(Arc<Variable>, ValueId)],
        room: &mut Room<'_>,
        copies: bool,
    ) -> Result<(), ProgramError> {
        for action in &plan.actions[self.first..] {
            ask(action, room)?;
        }
        for &index in &self.taken {
            let variable = &updated[index].0;
            (room.own[index], room.versions[index]) = if copies {
                let (value, version) = variable.read_buffer();
                (Buffer::copy_of(value.bytes())?, Some(version))
            } else {
                let (value, version) = variable.take_value()?;
                (value, Some(version))
            };
        }
        for table in &self.tables {
            if let (Some(touched), Some(versions)) = table.known(plan, room) {
                touched.begin(versions, table.moments.map(|update| room.own[update].view(DType::Float32)));
            }
        }
        Ok(())
    }

    /// Puts the weights of a table where this action, if it does so, updates them: themselves, or with `copies` a copy.
    pub(crate) fn take_weights(
        &self,
        action: usize,
        plan: &Plan,
        updated: &[(Arc<Variable>, ValueId)],
        room: &mut Room<'_>,
        copies: bool,
    ) -> Result<(), ShapeError> {
        for table in self.tables.iter().filter(|table| table.action == action) {
            let (own, before) = (&mut room.own[table.weights], &mut room.operands.shared[table.before]);
            if copies || table.is_read_later {
                own.bytes_mut().copy_from_slice(before.bytes());
            } else {
                *before = Shared::Kept(plan.nothing.clone());
                let spare = std::mem::replace(own, Buffer::new(0)?);
                *own = updated[table.weights].0.take_or_copy(spare);
            }
        }
        Ok(())
    }

    /// Notes what the updates of tables have led to: the versions of their moments. Rows that only moved in a copy may stay
    /// marked as touched.
    pub(crate) fn end(&self, plan: &Plan, room: &Room<'_>) {
        for table in &self.tables {
            if let (Some(touched), Some(versions)) = table.known(plan, room) {
                touched.end(versions);
            }
        }
    }
}

impl Table {
    /// What is known of its rows, and what the run notes of its moments.
    fn known<'p>(self, plan: &'p Plan, room: &Room<'_>) -> (Option<&'p Touched>, Option<Versions>) {
        let [m, v] = self.moments.map(|update| room.versions[update]);
        (plan.actions[self.action].work.touched(), m.zip(v).map(Versions::from))
    }
}

/// Fails where the action's step would.
fn ask(action: &Action, room: &mut Room<'_>) -> Result<(), ProgramError> {
    let Some(step) = action.work.step(0) else { return Ok(()) };
    let Some(operand) = step.doubted() else { return Ok(()) };
    if action.outputs.iter().all(|place| place.bytes == 0) {
        // It will not run.
        return Ok(());
    }
    let Room { block, operands, own, parts, .. } = room;
    let mut arena = Arena { block, shared: &operands.shared, own };
    let ([inputs, _], _) = arena.operands([from_ref(&action.inputs[operand]), &[]], [&[], &[]], parts);
    Ok(step.check(inputs.view(0))?)
}
