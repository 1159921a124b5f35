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
    pub(crate) fn get<'a>(&self, shapes: &(impl Iterator<Item = &'a [usize]> + Clone)) -> Option<Arc<Plan>> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let index = plans.iter().rposition(|(key, _)| key.iter().map(Vec::as_slice).eq(shapes.clone()))?;
        plans[index..].rotate_left(1);
        plans.last().map(|(_, plan)| plan.clone())
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_graph::Graph;

    #[test]
    fn forgets_the_plan_that_was_not_used_for_longest() {
        let cache = PlanCache::default();
        let plan = || Arc::new(Plan::new(&Graph::new(), &[], &[], &[]).unwrap());
        let kept = || {
            (0..20).filter(|&n| cache.plans.lock().unwrap().iter().any(|(key, _)| *key == [[n]])).collect::<Vec<_>>()
        };
        for n in 0..KEPT {
            cache.insert(vec![vec![n]], plan());
        }
        let get = |shapes: &[&'static [usize]]| cache.get(&shapes.iter().copied());
        assert!(get(&[&[0]]).is_some());
        cache.insert(vec![vec![KEPT]], plan());
        assert_eq!(kept(), [0, 2, 3, 4, 5, 6, 7, 8]);
        assert!(get(&[&[1]]).is_none() && get(&[&[0], &[0]]).is_none() && get(&[]).is_none());
        cache.insert(vec![vec![0]], plan());
        assert_eq!(kept(), [0, 2, 3, 4, 5, 6, 7, 8], "the same shapes are kept once");
    }
}
