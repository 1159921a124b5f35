//! The process-wide thread pool.
//!
//! * [`parallel_for`] shares the chunks of a loop between the caller and whichever workers are free. The caller computes
//!   too, and at the end waits only for chunks that a worker has claimed: a worker that is late, or busy elsewhere, costs
//!   nothing but its help.
//! * [`spawn`] queues a job for a worker, so that the thread that asked is free. Jobs go before loops: while there are
//!   as many jobs as threads each job runs on one core, and with fewer the idle workers help the loops of the others.
//!
//! Workers start when first needed and are parked when idle. One that has helped or run a job looks out for more for
//! [`SPIN`] or a while longer before it parks: it joins a loop within a fraction of a microsecond, while waking a parked
//! thread takes 15 to 30. Who knows that a run is too short for that says so with [`without_waking`]; for a long one
//! [`rouse`] wakes the workers before there is a loop.
//!
//! Loops are published in `slot`s without a lock. The lock is for jobs, and for workers that park, wake, start and end.

mod cores;
mod slot;
#[cfg(test)]
mod tests;

use ferrograph_simd::{Level, with_level};
pub(crate) use slot::Claims;
use slot::{MAX_CHUNKS, Slot, run_chunks};
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, LocalKey, Thread};
use std::time::{Duration, Instant};

/// How long a worker without work, or a caller whose last chunks are claimed, spins before it parks. Twice what a
/// wake-up costs: the steps of a run, and the calls of a program that predicts again and again, mostly follow sooner.
const SPIN: Duration = Duration::from_micros(50);

/// A worker that has run a job looks out for the next for longer, this part of the job's time and at most [`PATIENCE`]: who
/// takes one step of training after another hears of the end of each some 40 us later, and needs as long to bring the next,
/// by when the worker would be parked. Steps of the ticket model and the MLP then begin 35 us sooner, 1 to 2 % of their time.
const SHARE_OF_JOB: u32 = 8;
const PATIENCE: Duration = Duration::from_micros(200);

/// Within this time a store of one thread is seen by the others, many times over: it leaves its core in a tenth of a microsecond.
const SETTLED: Duration = Duration::from_micros(4);

/// A thread that has spun this long lets others run on its core in between.
const POLITE: Duration = Duration::from_micros(5);

/// A spinning thread looks so many times before it reads the clock or lets others run, either of which takes longer than a
/// look: workers come to loops that are 8 us apart 0.1 to 0.2 us sooner.
const LOOKS: usize = 16;

/// More threads than this are never used.
const MAX_THREADS: usize = 1024;

/// Loops that are shared at a time. Further ones run on their callers alone: by then all cores are busy on most machines.
const SLOTS: usize = 16;

static GLOBAL: LazyLock<Pool> = LazyLock::new(|| Pool::new(cores::default_threads()));

thread_local! {
    static IN_CHUNK: Cell<bool> = const { Cell::new(false) };
    static MAY_WAKE: Cell<bool> = const { Cell::new(true) };
    static BACKWARDS: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread takes the chunks of its loop from the last to the first.
    static DESCENDS: Cell<bool> = const { Cell::new(false) };
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

/// Runs `f`. Loops in it are shared with workers that are awake, but wake none: right for work that is over before a
/// worker would come.
pub fn without_waking<R>(f: impl FnOnce() -> R) -> R {
    with_flag(&MAY_WAKE, false, f)
}

/// Runs `f`, in which loops that the caller runs alone go from the last chunk to the first if `backwards`. Work that is
/// done again and again and changes its direction each time begins with what it has used last, which is still in the
/// cache: of 2.6 MB of weights half is found in 2 MB, where none is if the direction stays.
pub fn in_direction<R>(backwards: bool, f: impl FnOnce() -> R) -> R {
    with_flag(&BACKWARDS, backwards, f)
}

/// The chunk that this thread most likely runs after `chunk` of its loop. There may be no such chunk.
pub(crate) fn following(chunk: usize) -> usize {
    if DESCENDS.get() { chunk.wrapping_sub(1) } else { chunk + 1 }
}

fn with_flag<R>(flag: &'static LocalKey<Cell<bool>>, value: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(&'static LocalKey<Cell<bool>>, bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    let _restore = Restore(flag, flag.replace(value));
    f()
}

/// Runs `f` as within a chunk: its loops run on this thread alone.
pub fn alone<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_CHUNK.set(self.0);
        }
    }
    let _restore = Restore(IN_CHUNK.replace(true));
    f()
}

/// Whether loops of this thread run on it alone, in a chunk or in [`alone`].
pub fn is_alone() -> bool {
    IN_CHUNK.get()
}

/// Wakes the workers that could help the caller, which has loops for them soon.
pub fn rouse() {
    GLOBAL.rouse(GLOBAL.threads() - 1);
}

struct Pool {
    slots: [Slot; SLOTS],
    threads: AtomicUsize,
    /// Workers that look out for loops, help with one, or are about to: not those that are parked or run a job.
    awake: AtomicUsize,
    /// Workers that could be woken or started. Changed under the lock.
    dormant: AtomicUsize,
    /// Queued jobs. Changed under the lock.
    queued: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    jobs: VecDeque<(Level, Box<dyn FnOnce() + Send>)>,
    parked: Vec<Arc<Parker>>,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn new(threads: usize) -> Self {
        let pool = Pool {
            slots: std::array::from_fn(|_| Slot::new()),
            threads: AtomicUsize::new(threads.clamp(1, MAX_THREADS)),
            awake: AtomicUsize::new(0),
            dormant: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            state: Mutex::new(State { jobs: VecDeque::new(), parked: Vec::new(), workers: 0 }),
        };
        pool.note(&lock(&pool.state));
        pool
    }

    fn threads(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    fn set_threads(&self, threads: usize) {
        self.threads.store(threads.clamp(1, MAX_THREADS), Ordering::Relaxed);
        // Parked workers look at the new number; those too many end.
        let mut state = lock(&self.state);
        let parked = std::mem::take(&mut state.parked);
        self.awake.fetch_add(parked.len(), Ordering::Relaxed);
        self.note(&state);
        drop(state);
        for parker in parked {
            parker.wake();
        }
    }

    /// Lets threads without the lock know of a change.
    fn note(&self, state: &State) {
        let startable = self.threads().saturating_sub(state.workers);
        self.dormant.store(state.parked.len() + startable, Ordering::Relaxed);
        self.queued.store(state.jobs.len(), Ordering::Relaxed);
    }

    fn parallel_for(&'static self, chunks: usize, body: &(dyn Fn(usize) + Sync)) {
        if chunks == 0 {
            return;
        }
        if chunks == 1 {
            return body(0);
        }
        let wanted = (chunks - 1).min(self.threads() - 1);
        let slot = if wanted == 0 || chunks > MAX_CHUNKS || IN_CHUNK.get() {
            None
        } else {
            self.slots.iter().find(|slot| slot.acquire())
        };
        let panic = if let Some(slot) = slot {
            let wake = || {
                if MAY_WAKE.get() {
                    self.rouse(wanted);
                }
            };
            slot.run(chunks, body, wake)
        } else {
            let (mut all, backwards) = (0..chunks, BACKWARDS.get());
            with_flag(&DESCENDS, backwards, || {
                run_chunks(|| if backwards { all.next_back() } else { all.next() }, body)
            })
        };
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Wakes or starts workers until `wanted` are awake, if there are so many.
    fn rouse(&'static self, wanted: usize) {
        while self.awake.load(Ordering::SeqCst) < wanted && self.dormant.load(Ordering::Relaxed) > 0 {
            if !self.wake_one(lock(&self.state)) {
                return;
            }
        }
    }

    fn spawn(&'static self, job: Box<dyn FnOnce() + Send>) {
        let mut state = lock(&self.state);
        state.jobs.push_back((Level::current(), job));
        self.note(&state);
        // A worker that helps with a loop looks for jobs only when the loop has no more chunks.
        let helping: usize = self.slots.iter().map(Slot::helpers).sum();
        if state.jobs.len() + helping > self.awake.load(Ordering::Relaxed) {
            self.wake_one(state);
        }
    }

    /// Wakes a parked worker, or starts one while there are fewer than `threads`. Returns whether it could.
    fn wake_one(&'static self, mut state: MutexGuard<State>) -> bool {
        let parked = state.parked.pop();
        let starts = parked.is_none() && state.workers < self.threads();
        if parked.is_none() && !starts {
            return false;
        }
        state.workers += usize::from(starts);
        self.awake.fetch_add(1, Ordering::Relaxed);
        self.note(&state);
        drop(state);
        if let Some(parker) = parked {
            parker.wake();
        } else if !self.start_worker() {
            self.run_orphans();
            return false;
        }
        true
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
        self.awake.fetch_sub(1, Ordering::Relaxed);
        self.note(&state);
        while state.workers == 0
            && let Some((level, job)) = state.jobs.pop_front()
        {
            self.note(&state);
            drop(state);
            run_job(level, job);
            state = lock(&self.state);
        }
    }

    fn worker(&self) {
        let parker = Arc::new(Parker { thread: thread::current(), awake: AtomicBool::new(false) });
        let mut patience = SPIN;
        loop {
            let idle = self.help_until_idle(std::mem::replace(&mut patience, SPIN));
            let mut state = lock(&self.state);
            if state.workers > self.threads() {
                state.workers -= 1;
                self.awake.fetch_sub(1, Ordering::Relaxed);
                self.note(&state);
                return;
            }
            if let Some((level, job)) = state.jobs.pop_front() {
                self.awake.fetch_sub(1, Ordering::Relaxed);
                self.note(&state);
                drop(state);
                let start = Instant::now();
                run_job(level, job);
                patience = (start.elapsed() / SHARE_OF_JOB).clamp(SPIN, PATIENCE);
                self.awake.fetch_add(1, Ordering::Relaxed);
            } else if idle {
                parker.awake.store(false, Ordering::Relaxed);
                state.parked.push(Arc::clone(&parker));
                self.note(&state);
                self.awake.fetch_sub(1, Ordering::SeqCst);
                drop(state);
                // A loop may begin at this moment. Its owner opens the slot and then looks who is awake; this worker says that
                // it is not and then looks at the slots, until what was opened before is seen. So one of them sees the other; were
                // a store later than that, the loop would run without this worker.
                let mut wanted = false;
                spin_until(SETTLED, || {
                    wanted = self.slots.iter().any(|slot| slot.wants_help(self.threads() - 1));
                    wanted || parker.awake.load(Ordering::Relaxed)
                });
                if wanted {
                    self.stay_awake(&parker);
                }
                while !parker.awake.load(Ordering::Acquire) {
                    thread::park();
                }
            }
        }
    }

    /// Takes a worker that was about to park back among those that are awake, if nobody has yet.
    fn stay_awake(&self, parker: &Arc<Parker>) {
        let mut state = lock(&self.state);
        if let Some(index) = state.parked.iter().position(|parked| Arc::ptr_eq(parked, parker)) {
            state.parked.swap_remove(index);
            self.awake.fetch_add(1, Ordering::Relaxed);
            self.note(&state);
            parker.awake.store(true, Ordering::Relaxed);
        }
    }

    /// Helps with loops until there has been none for `patience`, or after one for [`SPIN`], which it returns `true` for, or a
    /// job is queued.
    fn help_until_idle(&self, mut patience: Duration) -> bool {
        loop {
            let (mut helped, mut job) = (false, false);
            spin_until(patience, || {
                job = self.queued.load(Ordering::Relaxed) > 0;
                helped = !job && self.slots.iter().any(|slot| slot.help(self.threads() - 1));
                job || helped
            });
            if !helped {
                return !job;
            }
            patience = SPIN;
        }
    }
}

fn run_job(level: Level, job: Box<dyn FnOnce() + Send>) {
    // The job's owner catches its panics; one that does not must still not end the worker.
    let _ = catch_unwind(AssertUnwindSafe(|| with_level(level, job)));
}

/// Spins until `done` or for as long as `limit`.
fn spin_until(limit: Duration, mut done: impl FnMut() -> bool) {
    let mut start = None;
    loop {
        for _ in 0..LOOKS {
            if done() {
                return;
            }
            std::hint::spin_loop();
        }
        let spun = start.get_or_insert_with(Instant::now).elapsed();
        if spun >= limit {
            return;
        }
        if spun >= POLITE {
            thread::yield_now();
        }
    }
}
