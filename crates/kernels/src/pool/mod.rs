//! The process-wide thread pool.
//!
//! * [`parallel_for`] shares the chunks of a loop between the caller and whichever workers are free. Chunks are claimed
//!   by an atomic counter. The caller computes too, and at the end waits only for chunks that a worker has claimed: a
//!   worker that is late, or busy elsewhere, costs nothing but its help.
//! * [`spawn`] queues a job for a worker, so that the thread that asked is free. Jobs go before loops: while there are
//!   as many jobs as threads each job runs on one core, and with fewer the idle workers help the loops of the others.
//!
//! Workers start when first needed and are parked when idle. After helping with a loop a worker looks out for the next
//! one for [`SPIN`] before it parks, because waking a parked thread costs more than many loops last.
//!
//! Contains `unsafe`: workers reach a loop on its caller's stack through a pointer. It is registered under the lock
//! before any worker sees it, and [`Pool::close`] does not return before the last worker has left it.

mod cores;
#[cfg(test)]
mod tests;

use ferrograph_simd::{Level, with_level};
use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a worker that has just helped, or a caller whose chunks are all claimed, spins before it parks.
/// A wake-up costs 15 to 30 microseconds, so waiting longer than that for work is a loss.
const SPIN: Duration = Duration::from_micros(20);

/// More threads than this are never used.
const MAX_THREADS: usize = 1024;

static GLOBAL: LazyLock<Pool> = LazyLock::new(|| Pool::new(cores::default_threads()));

thread_local! {
    static IN_CHUNK: Cell<bool> = const { Cell::new(false) };
}

/// The number of threads that compute at a time, at least 1. By default the smallest of the number of physical cores,
/// the cores this process may run on, and the control group's CPU quota.
pub fn threads() -> usize {
    GLOBAL.threads()
}

/// Sets [`threads`], clamped to `1..=1024`. Results do not depend on it.
///
/// With 1, [`parallel_for`] runs on the caller alone; [`spawn`] still uses a background thread.
pub fn set_threads(threads: usize) {
    GLOBAL.set_threads(threads);
}

/// Calls `f(0)` to `f(chunks - 1)`, each once, on the caller and on free workers, and returns when all have ended.
///
/// A call from within a chunk runs on its own thread alone. When chunks panic, the others still run, and then the first
/// panic continues on the caller. Workers use the caller's [`Level`].
pub fn parallel_for(chunks: usize, f: &(dyn Fn(usize) + Sync)) {
    GLOBAL.parallel_for(chunks, f);
}

/// Queues `job` for a worker, which runs it with the caller's [`Level`]. The job may call [`parallel_for`].
///
/// A panic of the job ends there: a job that has to report it catches it. If no thread can be started, the job runs
/// before `spawn` returns.
pub fn spawn(job: Box<dyn FnOnce() + Send>) {
    GLOBAL.spawn(job);
}

struct Pool {
    threads: AtomicUsize,
    /// Counts published loops and jobs, so that a spinning worker need not take the lock to look for new ones.
    published: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    jobs: VecDeque<(Level, Box<dyn FnOnce() + Send>)>,
    loops: Vec<LoopPointer>,
    parked: Vec<Arc<Parker>>,
    spinning: usize,
    /// Workers running or about to start.
    workers: usize,
}

/// Where a worker sleeps. Whoever takes it out of `State::parked` wakes it.
struct Parker {
    thread: Thread,
    awake: AtomicBool,
}

impl Parker {
    fn wake(&self) {
        self.awake.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// A loop in progress, on the stack of its caller.
struct Loop<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    chunks: usize,
    next: AtomicUsize,
    /// Workers that hold a reference to this loop. Raised under the pool's lock while the loop is published.
    helpers: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    caller: Thread,
    level: Level,
}

impl Loop<'_> {
    fn run(&self) {
        let outer = IN_CHUNK.replace(true);
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= self.chunks {
                break;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.body)(chunk))) {
                lock(&self.panic).get_or_insert(panic);
            }
        }
        IN_CHUNK.set(outer);
    }
}

#[derive(Clone, Copy, PartialEq)]
struct LoopPointer(*const Loop<'static>);
// SAFETY: a Loop is Sync (its body is), and the pointer is only followed while the loop is alive, see `Pool::close`.
unsafe impl Send for LoopPointer {}

impl LoopPointer {
    fn new(work: &Loop) -> Self {
        LoopPointer(std::ptr::from_ref(work).cast())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn new(threads: usize) -> Self {
        let state = State { jobs: VecDeque::new(), loops: Vec::new(), parked: Vec::new(), spinning: 0, workers: 0 };
        Pool {
            threads: AtomicUsize::new(threads.clamp(1, MAX_THREADS)),
            published: AtomicUsize::new(0),
            state: Mutex::new(state),
        }
    }

    fn threads(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    fn set_threads(&self, threads: usize) {
        self.threads.store(threads.clamp(1, MAX_THREADS), Ordering::Relaxed);
        // Parked workers look at the new number; those too many end.
        let parked = std::mem::take(&mut lock(&self.state).parked);
        for parker in parked {
            parker.wake();
        }
    }

    fn parallel_for(&'static self, chunks: usize, body: &(dyn Fn(usize) + Sync)) {
        if chunks == 0 {
            return;
        }
        if chunks == 1 {
            return body(0);
        }
        let work = Loop {
            body,
            chunks,
            next: AtomicUsize::new(0),
            helpers: AtomicUsize::new(0),
            panic: Mutex::new(None),
            caller: thread::current(),
            level: Level::current(),
        };
        if IN_CHUNK.get() || self.threads() == 1 {
            work.run();
        } else {
            self.open(&work);
            work.run();
            self.close(&work);
        }
        let panic = work.panic.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Makes `work` visible to the workers and wakes as many as can help.
    fn open(&'static self, work: &Loop) {
        let mut state = lock(&self.state);
        state.loops.push(LoopPointer::new(work));
        self.published.fetch_add(1, Ordering::Relaxed);
        let wanted = (work.chunks - 1).min(self.threads() - 1).saturating_sub(state.spinning);
        self.wake(state, wanted);
    }

    /// Hides `work` from the workers and waits until those that hold it have left.
    fn close(&self, work: &Loop) {
        let pointer = LoopPointer::new(work);
        lock(&self.state).loops.retain(|other| *other != pointer);
        spin_until(|| work.helpers.load(Ordering::Acquire) == 0);
        while work.helpers.load(Ordering::Acquire) != 0 {
            thread::park();
        }
    }

    fn spawn(&'static self, job: Box<dyn FnOnce() + Send>) {
        let mut state = lock(&self.state);
        state.jobs.push_back((Level::current(), job));
        self.published.fetch_add(1, Ordering::Relaxed);
        let everything = state.jobs.len() + state.loops.len();
        let wanted = usize::from(everything > state.spinning);
        self.wake(state, wanted);
    }

    /// Wakes `wanted` parked workers, or starts new ones while there are fewer than `threads`.
    fn wake(&'static self, mut state: MutexGuard<State>, wanted: usize) {
        let keep = state.parked.len().saturating_sub(wanted);
        let woken = state.parked.split_off(keep);
        let room = self.threads().saturating_sub(state.workers);
        let started = (wanted - woken.len()).min(room);
        state.workers += started;
        drop(state);
        for parker in woken {
            parker.wake();
        }
        for _ in 0..started {
            if !self.start_worker() {
                self.run_orphans();
            }
        }
    }

    fn start_worker(&'static self) -> bool {
        #[cfg(test)]
        if tests::REFUSE_THREADS.get() {
            return false;
        }
        thread::Builder::new().name("ferrograph".into()).spawn(|| self.worker()).is_ok()
    }

    /// A worker could not be started. If there is no other, nobody would run the queued jobs, so the caller does.
    fn run_orphans(&self) {
        let mut state = lock(&self.state);
        state.workers -= 1;
        while state.workers == 0
            && let Some((level, job)) = state.jobs.pop_front()
        {
            drop(state);
            run_job(level, job);
            state = lock(&self.state);
        }
    }

    fn worker(&self) {
        let parker = Arc::new(Parker { thread: thread::current(), awake: AtomicBool::new(false) });
        let mut may_spin = false;
        let mut state = lock(&self.state);
        loop {
            if state.workers > self.threads() {
                state.workers -= 1;
                return;
            }
            if let Some((level, job)) = state.jobs.pop_front() {
                drop(state);
                run_job(level, job);
                state = lock(&self.state);
            } else if let Some(pointer) = self.join_loop(&state) {
                drop(state);
                // SAFETY: `join_loop` raised `helpers`, so the loop lives until `help` lowers it.
                unsafe { help(pointer) };
                may_spin = true;
                state = lock(&self.state);
            } else if may_spin {
                may_spin = false;
                let published = self.published.load(Ordering::Relaxed);
                state.spinning += 1;
                drop(state);
                spin_until(|| self.published.load(Ordering::Relaxed) != published);
                // Work published while this worker counted as spinning is found by the next turn, under the lock.
                state = lock(&self.state);
                state.spinning -= 1;
            } else {
                parker.awake.store(false, Ordering::Relaxed);
                state.parked.push(Arc::clone(&parker));
                drop(state);
                while !parker.awake.load(Ordering::Acquire) {
                    thread::park();
                }
                state = lock(&self.state);
            }
        }
    }

    /// Registers the calling worker with a loop that has unclaimed chunks and room for a helper.
    fn join_loop(&self, state: &State) -> Option<LoopPointer> {
        let limit = self.threads() - 1;
        state.loops.iter().copied().find(|pointer| {
            // SAFETY: a published loop is alive while the lock is held, see `close`.
            let work = unsafe { &*pointer.0 };
            let joins = work.next.load(Ordering::Relaxed) < work.chunks && work.helpers.load(Ordering::Relaxed) < limit;
            if joins {
                work.helpers.fetch_add(1, Ordering::Relaxed);
            }
            joins
        })
    }
}

/// Works on a loop and leaves it.
///
/// # Safety
/// `helpers` counts the calling worker.
unsafe fn help(pointer: LoopPointer) {
    let caller = {
        // SAFETY: the loop is alive while `helpers` counts this worker.
        let work = unsafe { &*pointer.0 };
        with_level(work.level, || work.run());
        work.caller.clone()
    };
    // SAFETY: as above. The loop may be gone as soon as the counter is lowered, so nothing is touched after that.
    if unsafe { (*pointer.0).helpers.fetch_sub(1, Ordering::Release) } == 1 {
        caller.unpark();
    }
}

fn run_job(level: Level, job: Box<dyn FnOnce() + Send>) {
    // The job's owner catches its panics; one that does not must still not end the worker.
    let _ = catch_unwind(AssertUnwindSafe(|| with_level(level, job)));
}

/// Spins until `done` or until [`SPIN`] is over.
fn spin_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        for _ in 0..32 {
            std::hint::spin_loop();
        }
        if start.elapsed() >= SPIN {
            return;
        }
    }
}
