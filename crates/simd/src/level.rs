//! Which implementation of [`Simd`](crate::Simd) runs.

use crate::Scalar;
use std::cell::Cell;
use std::sync::OnceLock;

/// One instruction set the processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Plain Rust, on every processor.
    Scalar(Scalar),
    /// 256-bit vectors and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(crate::Avx2),
    /// 512-bit vectors: the F, BW, DQ and VL subsets.
    #[cfg(target_arch = "x86_64")]
    Avx512(crate::Avx512),
    /// 128-bit vectors of Armv8.
    #[cfg(target_arch = "aarch64")]
    Neon(crate::Neon),
}

thread_local! {
    static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
}

impl Level {
    /// The levels this processor has, slowest first.
    pub fn available() -> Vec<Level> {
        #[allow(unused_mut)]
        let mut levels = vec![Level::Scalar(Scalar::new())];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(crate::Avx2::detect().map(Level::Avx2));
            levels.extend(crate::Avx512::detect().map(Level::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        levels.extend(crate::Neon::detect().map(Level::Neon));
        levels
    }

    /// The level kernels called from this thread use: the one [`with_level`] set, else the best available one, else
    /// the one named by `FERROGRAPH_SIMD` if the processor has it. The environment is read once.
    #[inline]
    pub fn current() -> Level {
        FORCED.get().unwrap_or_else(default_level)
    }

    /// The name `FERROGRAPH_SIMD` knows the level by.
    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar(_) => "scalar",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => "neon",
        }
    }
}

fn default_level() -> Level {
    static DEFAULT: OnceLock<Level> = OnceLock::new();
    *DEFAULT.get_or_init(|| {
        let levels = Level::available();
        let wanted = std::env::var("FERROGRAPH_SIMD").ok();
        let named = levels.iter().find(|level| wanted.as_deref() == Some(level.name()));
        *named.unwrap_or(&levels[levels.len() - 1])
    })
}

/// Runs `f` with `level` as this thread's [`Level::current`], for tests and for pool threads that work for a caller.
pub fn with_level<R>(level: Level, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Level>);
    impl Drop for Restore {
        fn drop(&mut self) {
            FORCED.set(self.0);
        }
    }
    let _restore = Restore(FORCED.replace(Some(level)));
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forced_level_is_restored_even_after_a_panic() {
        let before = Level::current();
        let scalar = Level::available()[0];
        assert_eq!(with_level(scalar, Level::current), scalar);
        let caught = std::panic::catch_unwind(|| with_level(scalar, || std::panic::panic_any(1)));
        assert!(caught.is_err());
        assert_eq!(Level::current(), before);
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = Level::available().iter().map(|level| level.name()).collect();
        names.dedup();
        assert_eq!(names.len(), Level::available().len());
    }
}
