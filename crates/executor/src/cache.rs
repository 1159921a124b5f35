//! The plans of the last few input shapes.

use crate::plan::Plan;
use std::sync::{Arc, Mutex, PoisonError};

/// How many plans a program keeps.
pub(crate) const KEPT: usize = 8;

/// Extents of every input.
pub(crate) type Shapes = Vec<Vec<usize>>;

/// Plans by input shapes, least recently used first.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    plans: Mutex<Vec<(Shapes, Arc<Plan>)>>,
}

impl PlanCache {
    /// The plan for these shapes, if it is kept.
    pub(crate) fn get(&self, shapes: &[&[usize]]) -> Option<Arc<Plan>> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let index = plans.iter().rposition(|(key, _)| key.iter().map(Vec::as_slice).eq(shapes.iter().copied()))?;
        let entry = plans.remove(index);
        let plan = entry.1.clone();
        plans.push(entry);
        Some(plan)
    }

    /// Keeps a plan and forgets the one that was not used for longest.
    pub(crate) fn insert(&self, shapes: Shapes, plan: Arc<Plan>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|(key, _)| *key != shapes);
        if plans.len() == KEPT {
            plans.remove(0);
        }
        plans.push((shapes, plan));
    }

    /// The shapes of the plans that are kept, least recently used first.
    #[cfg(test)]
    pub(crate) fn shapes(&self) -> Vec<Shapes> {
        self.plans.lock().unwrap().iter().map(|(shapes, _)| shapes.clone()).collect()
    }
}
