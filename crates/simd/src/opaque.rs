//! Numbers and pointers of which the compiler knows nothing.

/// `n`, as if it came from elsewhere. An index that several rows share stays in one register this way; otherwise the compiler may
/// keep a pointer for each row instead and move all of them in each step of a loop.
#[inline(always)]
pub fn opaque(n: usize) -> usize {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    {
        let mut n = n;
        // SAFETY: there is no instruction, only a comment.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) n, options(pure, nomem, nostack, preserves_flags)) };
        n
    }
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    n
}

/// As [`opaque`], of a pointer.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written through the pointer")]
pub fn opaque_pointer(p: *const f32) -> *const f32 {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    {
        let mut p = p;
        // SAFETY: there is no instruction, only a comment.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) p, options(pure, nomem, nostack, preserves_flags)) };
        p
    }
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    p
}
