//! Stopping runs whose environment closes.

use napi::{CleanupEnvHook, Env};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Hooks of runs in flight; they belong to the thread of their environment.
    static HOOKS: RefCell<HashMap<u64, CleanupEnvHook<Arc<AtomicBool>>>> = RefCell::new(HashMap::new());
}

/// A run that is told when its environment closes, until [`Watch::end`].
pub(crate) struct Watch(u64);

impl Watch {
    /// Sets `cancel` when the environment closes: nobody can receive the result then. To be called on its thread.
    pub(crate) fn begin(env: &Env, cancel: &Arc<AtomicBool>) -> napi::Result<Self> {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let hook = env.add_env_cleanup_hook(cancel.clone(), move |cancel| {
            cancel.store(true, Ordering::Relaxed);
            // The hook is gone once it has run.
            HOOKS.with_borrow_mut(|hooks| hooks.remove(&id));
        })?;
        HOOKS.with_borrow_mut(|hooks| hooks.insert(id, hook));
        Ok(Self(id))
    }

    /// The run has ended. To be called on the environment's thread.
    pub(crate) fn end(self, env: &Env) -> napi::Result<()> {
        let hook = HOOKS.with_borrow_mut(|hooks| hooks.remove(&self.0));
        hook.map_or(Ok(()), |hook| env.remove_env_cleanup_hook(hook))
    }
}
