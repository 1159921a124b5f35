use super::*;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;

thread_local! {
    /// Makes threads impossible to start from this thread.
    pub(super) static REFUSE_THREADS: Cell<bool> = const { Cell::new(false) };
}

/// A pool of its own, so that tests do not disturb each other.
fn pool(threads: usize) -> &'static Pool {
    Box::leak(Box::new(Pool::new(threads)))
}

fn counts_each_chunk_once(pool: &'static Pool, chunks: usize) {
    let counts: Vec<AtomicUsize> = (0..chunks).map(|_| AtomicUsize::new(0)).collect();
    pool.parallel_for(chunks, &|i| {
        counts[i].fetch_add(1, Ordering::Relaxed);
    });
    assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
}

#[test]
fn each_chunk_runs_once() {
    for threads in [1, 2, 3, 8] {
        let pool = pool(threads);
        for chunks in [0, 1, 2, 3, 7, 100] {
            for _ in 0..50 {
                counts_each_chunk_once(pool, chunks);
            }
        }
    }
}

#[test]
fn one_chunk_starts_no_thread() {
    let pool = pool(4);
    counts_each_chunk_once(pool, 1);
    assert_eq!(lock(&pool.state).workers, 0);
    counts_each_chunk_once(pool, 2);
    assert_eq!(lock(&pool.state).workers, 1);
}

/// Both chunks wait for each other, so this ends only if two threads run the loop.
fn needs_two_threads(pool: &'static Pool) {
    let waiting = AtomicUsize::new(0);
    pool.parallel_for(2, &|_| {
        waiting.fetch_add(1, Ordering::SeqCst);
        while waiting.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
    });
}

fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::sleep(Duration::from_micros(100));
    }
}

#[test]
fn a_second_thread_helps() {
    let pool = pool(2);
    for _ in 0..100 {
        needs_two_threads(pool);
    }
    // Woken again after it has parked.
    wait_until(|| lock(&pool.state).parked.len() == 1);
    needs_two_threads(pool);
}

#[test]
fn a_worker_that_parks_as_a_loop_begins_helps_all_the_same() {
    let pool = pool(2);
    needs_two_threads(pool);
    for round in 0..2000 {
        let begun = Instant::now();
        // Around the time after which a worker parks.
        while begun.elapsed() < SPIN + Duration::from_nanos(20 * (round % 500)) {
            std::hint::spin_loop();
        }
        needs_two_threads(pool);
    }
}

#[test]
fn idle_workers_park() {
    let pool = pool(4);
    counts_each_chunk_once(pool, 100);
    pool.spawn(Box::new(|| ()));
    wait_until(|| {
        let state = lock(&pool.state);
        state.parked.len() == state.workers
    });
    assert_eq!(pool.awake.load(Ordering::Relaxed), 0);
    assert_eq!(pool.dormant.load(Ordering::Relaxed), 4);
}

#[test]
fn a_worker_looks_out_longer_after_a_long_job() {
    let pool = pool(1);
    let (tell, ended) = channel();
    pool.spawn(Box::new(move || {
        thread::sleep(PATIENCE * SHARE_OF_JOB);
        let _ = tell.send(Instant::now());
    }));
    let ended = ended.recv().unwrap();
    while lock(&pool.state).parked.is_empty() {
        std::hint::spin_loop();
    }
    assert!(ended.elapsed() >= PATIENCE);
}

#[test]
fn small_work_wakes_nobody() {
    let pool = pool(4);
    without_waking(|| counts_each_chunk_once(pool, 100));
    assert_eq!(lock(&pool.state).workers, 0);
    let caught = catch_unwind(|| without_waking(|| resume_unwind(Box::new(()))));
    assert!(caught.is_err());
    pool.rouse(3);
    assert_eq!(lock(&pool.state).workers, 3);
    // Whoever is awake helps all the same.
    without_waking(|| {
        while pool.awake.load(Ordering::Relaxed) < 3 {
            pool.rouse(3);
        }
        counts_each_chunk_once(pool, 100);
    });
    needs_two_threads(pool);
}

#[test]
fn a_lone_caller_takes_the_chunks_in_either_direction() {
    let order = |threads: usize, backwards: bool| {
        let seen = Mutex::new(Vec::new());
        in_direction(backwards, || pool(threads).parallel_for(5, &|i| lock(&seen).push(i)));
        seen.into_inner().unwrap()
    };
    assert_eq!(order(1, false), [0, 1, 2, 3, 4]);
    assert_eq!(order(1, true), [4, 3, 2, 1, 0]);
    assert!(!BACKWARDS.get(), "the direction holds for the work only");
    // Shared chunks keep to the threads that had them the last time.
    let mut shared = order(2, true);
    shared.sort_unstable();
    assert_eq!(shared, [0, 1, 2, 3, 4]);
}

#[test]
fn the_chunk_that_follows_is_known() {
    for (threads, backwards) in [(1, false), (1, true), (2, false)] {
        // By thread: its chunks, and what it expected next.
        let seen = Mutex::new(HashMap::<_, Vec<_>>::new());
        in_direction(backwards, || {
            pool(threads).parallel_for(100, &|chunk| {
                lock(&seen).entry(thread::current().id()).or_default().push((chunk, following(chunk)));
            });
        });
        for taken in seen.into_inner().unwrap().values() {
            assert!(taken.windows(2).all(|pair| pair[0].1 == pair[1].0), "{threads} threads: {taken:?}");
        }
    }
}

#[test]
fn more_loops_than_slots() {
    let pool = pool(3);
    let inside = AtomicUsize::new(0);
    let callers = SLOTS + 4;
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                pool.parallel_for(2, &|_| {
                    // Chunks of every loop are in progress at once.
                    inside.fetch_add(1, Ordering::SeqCst);
                    while inside.load(Ordering::SeqCst) < callers {
                        thread::yield_now();
                    }
                });
            });
        }
    });
    assert_eq!(inside.into_inner(), 2 * callers);
    assert!(pool.slots.iter().all(Slot::acquire), "all slots are free again");
}

#[test]
fn never_more_than_the_set_threads() {
    for threads in [1, 2, 3] {
        let pool = pool(8);
        counts_each_chunk_once(pool, 100);
        pool.set_threads(threads);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        pool.parallel_for(64, &|_| {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_micros(200));
            inside.fetch_sub(1, Ordering::SeqCst);
        });
        assert!(most.load(Ordering::SeqCst) <= threads);
    }
}

#[test]
fn nested_loops_run_inline() {
    let pool = pool(3);
    let sum = AtomicUsize::new(0);
    pool.parallel_for(8, &|_| {
        let outer = thread::current().id();
        pool.parallel_for(8, &|i| {
            assert_eq!(thread::current().id(), outer);
            sum.fetch_add(i, Ordering::Relaxed);
        });
    });
    assert_eq!(sum.into_inner(), 8 * 28);
}

#[test]
fn a_panic_reaches_the_caller_after_the_other_chunks() {
    for threads in [1, 2, 4] {
        let pool = pool(threads);
        let ran = AtomicUsize::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.parallel_for(20, &|i| {
                ran.fetch_add(1, Ordering::Relaxed);
                if i == 3 {
                    resume_unwind(Box::new("three"));
                }
            });
        }));
        assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "three");
        assert_eq!(ran.into_inner(), 20);
        counts_each_chunk_once(pool, 20);
    }
}

#[test]
fn spawned_jobs_run_elsewhere_and_may_loop() {
    for threads in [1, 2, 4] {
        let pool = pool(threads);
        let (send, receive) = channel();
        for job in 0..20 {
            let send = send.clone();
            pool.spawn(Box::new(move || {
                counts_each_chunk_once(pool, 30);
                send.send((job, thread::current().id())).unwrap();
            }));
        }
        let mut done: Vec<usize> = Vec::new();
        for (job, id) in receive.iter().take(20) {
            assert_ne!(id, thread::current().id());
            done.push(job);
        }
        done.sort_unstable();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert!(lock(&pool.state).workers <= threads);
    }
}

#[test]
fn a_panicking_job_does_not_end_the_worker() {
    let pool = pool(1);
    let (send, receive) = channel();
    pool.spawn(Box::new(|| resume_unwind(Box::new(()))));
    pool.spawn(Box::new(move || send.send(()).unwrap()));
    receive.recv().unwrap();
}

#[test]
fn without_threads_everything_runs_inline() {
    let pool = pool(4);
    REFUSE_THREADS.set(true);
    counts_each_chunk_once(pool, 40);
    let (send, receive) = channel();
    pool.spawn(Box::new(move || send.send(thread::current().id()).unwrap()));
    assert_eq!(receive.try_recv(), Ok(thread::current().id()));
    assert_eq!(lock(&pool.state).workers, 0);
    REFUSE_THREADS.set(false);
    counts_each_chunk_once(pool, 40);
}

#[test]
fn workers_use_the_callers_level() {
    let pool = pool(2);
    for level in Level::available() {
        with_level(level, || {
            pool.parallel_for(8, &|_| {
                assert_eq!(Level::current(), level);
                thread::sleep(Duration::from_micros(50));
            });
            let (send, receive) = channel();
            pool.spawn(Box::new(move || send.send(Level::current()).unwrap()));
            assert_eq!(receive.recv().unwrap(), level);
        });
    }
}

/// Loops, jobs and changes of the thread count from several threads at once: everything runs once, and it ends.
#[test]
fn stress() {
    let pool = pool(4);
    let sum = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..3u64)
        .map(|caller| {
            let sum = Arc::clone(&sum);
            thread::spawn(move || {
                let (send, receive) = channel();
                for round in 0..300u64 {
                    let chunks = (round * 7 + caller) % 13;
                    pool.parallel_for(chunks as usize, &|i| {
                        sum.fetch_add(i as u64, Ordering::Relaxed);
                    });
                    let (sum, send) = (Arc::clone(&sum), send.clone());
                    pool.spawn(Box::new(move || {
                        pool.parallel_for(5, &|_| {
                            sum.fetch_add(1, Ordering::Relaxed);
                        });
                        send.send(()).unwrap();
                    }));
                    if round % 16 == 0 {
                        pool.set_threads(1 + (round as usize / 16 + caller as usize) % 5);
                    }
                    if round % 50 == 0 {
                        // Long enough for the workers to park.
                        thread::sleep(Duration::from_millis(1));
                    }
                }
                assert_eq!(receive.iter().take(300).count(), 300);
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    let triangle = |n: u64| n * n.saturating_sub(1) / 2;
    let loops: u64 = (0..3).flat_map(|caller| (0..300).map(move |round| triangle((round * 7 + caller) % 13))).sum();
    assert_eq!(sum.load(Ordering::Relaxed), loops + 3 * 300 * 5);
}
