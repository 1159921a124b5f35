//! Plain loops compiled once per instruction set.

/// Defines functions whose bodies are compiled once per instruction set, so that the compiler vectorises their loops
/// as wide as the processor allows, and which call the copy for [`Level::current`](crate::Level::current).
///
/// What the body calls must be inlined into it to profit. Type parameters are written in square brackets and must be
/// inferable from the arguments. Argument patterns are plain names.
///
/// ```
/// ferrograph_simd::dispatch! {
///     /// `y = a + b`
///     pub fn add(a: &[f32], b: &[f32], y: &mut [f32]) {
///         for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
///             *y = a + b;
///         }
///     }
///
///     /// `y = f(x)`
///     pub fn map[F: Fn(f32) -> f32](x: &[f32], y: &mut [f32], f: F) {
///         for (y, x) in y.iter_mut().zip(x) {
///             *y = f(*x);
///         }
///     }
/// }
/// let mut y = [0.0; 2];
/// add(&[1.0, 2.0], &[3.0, 4.0], &mut y);
/// map(&y.clone(), &mut y, |x| x * 2.0);
/// assert_eq!(y, [8.0, 12.0]);
/// ```
#[macro_export]
macro_rules! dispatch {
    () => {};
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $([$($generics:tt)*])? ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        $vis fn $name $(<$($generics)*>)? ($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::inline_always, clippy::too_many_arguments)]
            fn body $(<$($generics)*>)? ($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2 $(<$($generics)*>)? ($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512 $(<$($generics)*>)? ($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            match $crate::Level::current() {
                // SAFETY: a level exists only if the processor has its instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx2(_) => unsafe { avx2($($arg),*) },
                // SAFETY: a level exists only if the processor has its instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx512(_) => unsafe { avx512($($arg),*) },
                _ => body($($arg),*),
            }
        }
        $crate::dispatch! { $($rest)* }
    };
}
