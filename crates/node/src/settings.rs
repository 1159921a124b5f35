//! What holds for the whole process.

use crate::arguments::whole;
use crate::error::{Failure, OrThrow};
use ferrograph_kernels::pool;
use ferrograph_tensor::{allocated_bytes, memory_limit};
use napi::Env;
use napi_derive::napi;

/// More threads than this are a mistake.
const MAX_THREADS: usize = 1024;

/// The state of the process.
#[napi(object, object_from_js = false)]
pub struct Settings {
    /// Threads that compute.
    pub threads: f64,
    /// The instruction set in use.
    pub simd: String,
    /// Bytes of tensor memory that may be in use; `Infinity` when there is no limit.
    pub memory_limit: f64,
    /// Bytes of tensor memory in use.
    pub allocated_bytes: f64,
    /// Version of the addon.
    pub version: &'static str,
}

/// The state of the process now.
#[napi(catch_unwind)]
pub fn settings() -> Settings {
    let limit = memory_limit();
    Settings {
        threads: pool::threads() as f64,
        simd: ferrograph_simd::Level::current().name().to_owned(),
        memory_limit: if limit == usize::MAX { f64::INFINITY } else { limit as f64 },
        allocated_bytes: allocated_bytes() as f64,
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Sets how many threads compute, 1 to 1024. Results do not depend on it.
#[napi(catch_unwind)]
pub fn set_threads(env: Env, threads: f64) -> napi::Result<()> {
    let check = || match whole("threads", threads)? {
        threads @ 1..=MAX_THREADS => Ok(threads),
        other => Err(Failure::argument("threads", format!("an integer from 1 to {MAX_THREADS}"), other.to_string())),
    };
    pool::set_threads(check().or_throw(&env)?);
    Ok(())
}

/// Sets how many bytes of tensor memory may be in use; `Infinity` for no limit. What is allocated already stays.
#[napi(catch_unwind)]
pub fn set_memory_limit(env: Env, bytes: f64) -> napi::Result<()> {
    let limit = if bytes == f64::INFINITY { usize::MAX } else { whole("bytes", bytes).or_throw(&env)? };
    ferrograph_tensor::set_memory_limit(limit);
    Ok(())
}
