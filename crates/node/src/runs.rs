//! Runs on the pool, and the way back to JavaScript.
//!
//! A run that has ended lies in a list until JavaScript fetches it. One bell serves all runs of an environment. It rings
//! once; then JavaScript fetches at every turn of its event loop until there is nothing more, and the bell may ring again.
//! So runs that end together cross threads together, and however quickly runs follow, timers get their turns: a bell
//! that rang for each would be answered up to a thousand times before the loop goes on.

use crate::arguments::whole;
use crate::cancellation::NativeCancellation;
use crate::error::{Failure, OrThrow};
use crate::operand::owned;
use crate::program::NativeProgram;
use crate::results::{Part, hand_over};
use ferrograph_kernels::pool;
use ferrograph_tensor::Tensor;
use napi::bindgen_prelude::{Array, Either3, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Larger outputs stay in native memory until they are read: to copy one would hold up the event loop.
const LARGE: usize = 1 << 16;

type Bell = ThreadsafeFunction<(), (), (), Status, false>;

/// An ended run: the number it was begun with, and its outputs.
type Outcome = (usize, Result<Vec<Tensor>, Failure>);

/// The runs of one environment that are under way on the pool.
#[napi]
pub struct NativeRuns {
    ended: Arc<Mutex<Ended>>,
    under_way: Cell<usize>,
    /// Set when the environment closes: nobody can receive a result then.
    closing: Arc<AtomicBool>,
    /// The flags of runs that can be cancelled, which are set then too.
    tokens: Rc<RefCell<HashMap<usize, Arc<AtomicBool>>>>,
}

/// Runs that wait to be fetched.
struct Ended {
    outcomes: Vec<Outcome>,
    bell: Bell,
    /// Whether JavaScript waits for the bell.
    listens: bool,
}

#[napi]
impl NativeRuns {
    /// `bell` is called when there are runs to fetch: then [`fetch`](Self::fetch) until there is none.
    #[napi(constructor, catch_unwind, ts_args_type = "bell: () => void")]
    pub fn new(env: Env, bell: Function<'_, (), ()>) -> napi::Result<Self> {
        let mut bell: Bell = bell.build_threadsafe_function::<()>().build_callback(|_| Ok(()))?;
        keep_alive(&env, &mut bell, false)?;
        let (closing, tokens) = (Arc::<AtomicBool>::default(), Rc::<RefCell<HashMap<_, Arc<AtomicBool>>>>::default());
        env.add_env_cleanup_hook((closing.clone(), tokens.clone()), |(closing, tokens)| {
            closing.store(true, Ordering::Relaxed);
            for token in tokens.borrow().values() {
                token.store(true, Ordering::Relaxed);
            }
        })?;
        let ended = Arc::new(Mutex::new(Ended { outcomes: Vec::new(), bell, listens: true }));
        Ok(Self { ended, under_way: Cell::new(0), closing, tokens })
    }

    /// Begins a run on the pool, with inputs as for `runSync`; typed arrays are copied. If the run fails or the token
    /// cancels it, no variable has changed.
    ///
    /// `number` names the run among those under way.
    #[napi(
        catch_unwind,
        ts_args_type = "number: number, program: NativeProgram, inputs: Array<NativeTensor | Float32Array | Int32Array | Uint8Array>, shapes: Array<Array<number>>, token?: NativeCancellation | undefined | null"
    )]
    pub fn begin(
        &self,
        env: Env,
        number: f64,
        program: &NativeProgram,
        inputs: Array<'_>,
        shapes: Array<'_>,
        token: Option<&NativeCancellation>,
    ) -> napi::Result<()> {
        let program = program.get().clone();
        let read = || Ok::<_, Failure>((whole("number", number)?, owned(&program, &inputs, &shapes)?));
        let (number, inputs) = read().or_throw(&env)?;
        if self.under_way.get() == 0 {
            keep_alive(&env, &mut lock(&self.ended).bell, true)?;
        }
        self.under_way.update(|count| count + 1);
        let cancel = token.map_or(&self.closing, NativeCancellation::flag).clone();
        if token.is_some() {
            self.tokens.borrow_mut().insert(number, cancel.clone());
        }
        let ended = self.ended.clone();
        pool::spawn(Box::new(move || {
            let run = || program.run_on(&inputs, Some(&cancel)).map_err(Failure::from);
            let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Failure::panic(&*panic)));
            // What the run holds is free before JavaScript learns of its end.
            drop((inputs, program));
            let mut ended = lock(&ended);
            ended.outcomes.push((number, outcome));
            if std::mem::take(&mut ended.listens) {
                ended.bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
        }));
        Ok(())
    }

    /// The runs that have ended: of each its number, and then its outputs as `runSync` returns them, but large ones as
    /// `NativeTensor`s, or an error. If there are none, the bell rings for the next.
    #[napi(
        catch_unwind,
        ts_return_type = "Array<number | Error | Array<NativeTensor | Float32Array | Int32Array | Uint8Array | Array<number>>>"
    )]
    pub fn fetch<'env>(&self, env: &'env Env) -> napi::Result<Vec<Either3<f64, napi::Error, Vec<Part<'env>>>>> {
        let outcomes = {
            let mut ended = lock(&self.ended);
            ended.listens = ended.outcomes.is_empty();
            std::mem::take(&mut ended.outcomes)
        };
        self.under_way.update(|count| count - outcomes.len());
        if self.under_way.get() == 0 {
            keep_alive(env, &mut lock(&self.ended).bell, false)?;
        }
        let mut fetched = Vec::with_capacity(2 * outcomes.len());
        for (number, outcome) in outcomes {
            self.tokens.borrow_mut().remove(&number);
            fetched.push(Either3::A(number as f64));
            let outputs = outcome.or_throw(env).and_then(|outputs| hand_over(env, outputs, LARGE));
            fetched.push(outputs.map_or_else(Either3::B, Either3::C));
        }
        Ok(fetched)
    }
}

/// Whether the process stays alive to hear the bell: exactly while runs are under way.
#[expect(deprecated, reason = "napi offers no other way to change it")]
fn keep_alive(env: &Env, bell: &mut Bell, alive: bool) -> napi::Result<()> {
    if alive { bell.refer(env) } else { bell.unref(env) }
}

fn lock(ended: &Mutex<Ended>) -> MutexGuard<'_, Ended> {
    ended.lock().unwrap_or_else(PoisonError::into_inner)
}
