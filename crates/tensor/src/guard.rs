//! Buffers with nothing beside them, for tests: whoever leaves them ends the process or is found out.
//!
//! A guarded buffer lies flush against the page after it or the page before it. On Linux neither page may be touched, so
//! that reading or writing one element too many is a fault on the spot. What is left of the buffer's own pages holds a
//! pattern, which is checked when the buffer is dropped; elsewhere than on Linux that is all there is, and finds writes.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ptr::NonNull;
use std::slice::from_raw_parts_mut;

/// The side on which a guarded buffer is flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The buffer begins where the page before it ends; its alignment is that of a page.
    Before,
    /// The buffer ends where the page after it begins; its alignment is that of its elements and no more.
    After,
}

/// What the rest of a guarded buffer's pages holds.
const PATTERN: u8 = 0xA5;

thread_local! {
    static WANTED: Cell<Option<Side>> = const { Cell::new(None) };
    static LABEL: Cell<&'static str> = const { Cell::new("") };
}

/// Runs `f`; every buffer that it makes on this thread is guarded as long as it lives. When a guard page is touched, the
/// process says `label` before it ends. The label is never freed, so make few.
pub fn with_guard_pages<R>(side: Side, label: &'static str, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Side>, &'static str);
    impl Drop for Restore {
        fn drop(&mut self) {
            WANTED.set(self.0);
            LABEL.set(self.1);
        }
    }
    announce_faults();
    let _restore = Restore(WANTED.replace(Some(side)), LABEL.replace(label));
    f()
}

/// The pages of one buffer.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// First byte of the page before.
    pages: NonNull<u8>,
    layout: Layout,
    page: usize,
    /// From `pages` to the buffer.
    offset: usize,
    bytes: usize,
}

impl Guarded {
    /// Zeros, if guarded buffers are wanted on this thread and there is memory.
    pub(crate) fn wanted(bytes: usize) -> Option<Self> {
        let side = WANTED.get()?;
        let page = page_size();
        let inner = bytes.checked_next_multiple_of(page)?;
        let layout = Layout::from_size_align(inner.checked_add(2 * page)?, page).ok()?;
        // SAFETY: the layout's size is not zero.
        let pages = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let offset = match side {
            Side::Before => page,
            Side::After => page + inner - bytes,
        };
        let mut guarded = Self { pages, layout, page, offset, bytes };
        for rest in guarded.rest() {
            rest.fill(PATTERN);
        }
        guarded.protect(true);
        Some(guarded)
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        // SAFETY: the offset lies within the pages.
        unsafe { self.pages.add(self.offset) }
    }

    /// What is left of the buffer's own pages: before it and after it.
    fn rest(&mut self) -> [&mut [u8]; 2] {
        let (start, end) = (self.offset, self.offset + self.bytes);
        let last = self.layout.size() - self.page;
        // SAFETY: both ranges lie within the pages that may be touched, outside of the buffer and apart from each other.
        unsafe {
            let at = |offset: usize| self.pages.as_ptr().add(offset);
            [from_raw_parts_mut(at(self.page), start - self.page), from_raw_parts_mut(at(end), last - end)]
        }
    }

    fn protect(&self, forbid: bool) {
        for offset in [0, self.layout.size() - self.page] {
            // SAFETY: the offset lies within the pages.
            let start = unsafe { self.pages.add(offset) };
            // SAFETY: the page belongs to this allocation as a whole, and nobody holds a reference into it.
            unsafe { protect_page(start, self.page, forbid) };
        }
    }
}

// SAFETY: a Guarded owns its memory alone.
unsafe impl Send for Guarded {}
// SAFETY: as above; nothing is read through `&Guarded`.
unsafe impl Sync for Guarded {}

impl Drop for Guarded {
    fn drop(&mut self) {
        let damaged = self.rest().iter().position(|rest| rest.iter().any(|&byte| byte != PATTERN));
        self.protect(false);
        // SAFETY: allocated in `wanted` with this very layout.
        unsafe { dealloc(self.pages.as_ptr(), self.layout) };
        if let Some(side) = damaged
            && !std::thread::panicking()
        {
            panic!("a write {} a buffer of {} bytes", ["before", "after"][side], self.bytes);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn page_size() -> usize {
    4096
}

/// # Safety
/// Nothing: there is nothing to forbid here.
#[cfg(not(target_os = "linux"))]
unsafe fn protect_page(_start: NonNull<u8>, _page: usize, _forbid: bool) {}

#[cfg(not(target_os = "linux"))]
fn announce_faults() {}

#[cfg(target_os = "linux")]
use linux::{announce_faults, page_size, protect_page};

#[cfg(target_os = "linux")]
mod linux {
    use super::{LABEL, NonNull};
    use std::mem::MaybeUninit;
    use std::ptr::null_mut;
    use std::sync::OnceLock;

    pub(super) fn page_size() -> usize {
        // SAFETY: a question without arguments that have to hold.
        unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.max(4096) as usize
    }

    /// # Safety
    /// `start` is the start of a page that the caller owns and to which there is no reference.
    pub(super) unsafe fn protect_page(start: NonNull<u8>, page: usize, forbid: bool) {
        let access = if forbid { libc::PROT_NONE } else { libc::PROT_READ | libc::PROT_WRITE };
        // SAFETY: the caller's promise.
        let status = unsafe { libc::mprotect(start.as_ptr().cast(), page, access) };
        assert_eq!(status, 0, "mprotect: {}", std::io::Error::last_os_error());
    }

    /// What a fault led to before: the standard library's message about an overflow of the stack.
    static FORMER: OnceLock<libc::sigaction> = OnceLock::new();

    /// Lets a fault say whose it is.
    pub(super) fn announce_faults() {
        FORMER.get_or_init(|| {
            let mut former = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: `former` may be written; an action of zeros is one without flags, mask and restorer.
            unsafe {
                let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                action.sa_sigaction = announce as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(libc::SIGSEGV, &raw const action, former.as_mut_ptr());
                former.assume_init()
            }
        });
    }

    /// Writes the thread's label and lets the fault happen again under the former action.
    extern "C" fn announce(_signal: libc::c_int, _info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
        let label = LABEL.get();
        for text in ["a touch of a page beside a buffer: ", label, "\n"] {
            // SAFETY: the text is readable. `write` may be called in a signal handler.
            unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        }
        let former = FORMER.get().map_or(null_mut(), |former| std::ptr::from_ref(former).cast_mut());
        // SAFETY: `former` is null or an action that `sigaction` itself has filled.
        unsafe {
            if former.is_null() {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
            } else {
                libc::sigaction(libc::SIGSEGV, former, null_mut());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Buffer, DType};

    #[test]
    fn buffers_are_flush_and_zero() {
        for bytes in [1, 4, 100, 4096, 4100, 3 * 4096] {
            for side in [Side::Before, Side::After] {
                let mut buffer = with_guard_pages(side, "", || Buffer::new(bytes)).unwrap();
                let start = buffer.start().as_ptr() as usize;
                let flush = if side == Side::Before { start } else { start + bytes };
                assert_eq!(flush % page_size(), 0);
                assert!(buffer.bytes().iter().all(|&byte| byte == 0));
                buffer.view_mut(DType::Uint8).u8().fill(7);
            }
        }
    }

    #[test]
    fn a_write_beside_a_buffer_is_found() {
        for (side, message) in [(Side::Before, "a write after"), (Side::After, "a write before")] {
            let panic = std::panic::catch_unwind(|| {
                let buffer = with_guard_pages(side, "", || Buffer::new(100)).unwrap();
                let start = buffer.start().as_ptr();
                // SAFETY: memory of the buffer's own page, to which nobody else has a reference.
                unsafe { if side == Side::Before { start.add(100).write(1) } else { start.sub(1).write(1) } };
            });
            let panic = panic.unwrap_err();
            assert!(panic.downcast_ref::<String>().unwrap().starts_with(message));
        }
    }
}
