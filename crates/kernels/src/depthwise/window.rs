//! A window of pixels in registers that slides along the rows of an image.
//!
//! Contains `unsafe`: rows of the image are read by pointer.

// Indices over the rows and columns of the window mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use ferrograph_simd::Simd;

/// What rows outside of the image hold.
pub(super) static ZEROS: [f32; 64] = [0.0; 64];

/// 3 x 3 pixels of some channels of an image. Pixels outside of it are 0.
///
/// Nothing is moved as the window slides: its columns take turns at three places, and the caller says by a constant how far
/// they have turned.
pub(super) struct Window<S: Simd> {
    x: [[S::V; 3]; 3],
    /// Where the next column within the image is read, and the elements from there to the one after.
    rows: [*const f32; 3],
    steps: [usize; 3],
    /// The next column; what is left of the image is a very large number.
    column: usize,
    columns: usize,
    count: usize,
}

impl<S: Simd> Window<S> {
    /// Before the first `advance` to the rows and columns from `first` on, by `STRIDE` columns. `image` points to the first of
    /// `count` channels of an image of `extents` pixels of `channels` channels.
    ///
    /// # Safety
    /// These channels of the image are readable while the window lives.
    #[inline(always)]
    pub(super) unsafe fn new<const STRIDE: usize, const PARTIAL: bool>(
        simd: S,
        image: *const f32,
        [height, columns]: [usize; 2],
        channels: usize,
        [top, left]: [isize; 2],
        count: usize,
    ) -> Self {
        const { assert!(S::N <= ZEROS.len()) };
        let (mut rows, mut steps) = ([ZEROS.as_ptr(); 3], [0; 3]);
        for i in 0..3 {
            let row = top + i as isize;
            if row >= 0 && (row as usize) < height {
                let at = (row as usize * columns).wrapping_add(left.max(0) as usize).wrapping_mul(channels);
                (rows[i], steps[i]) = (image.wrapping_add(at), channels);
            }
        }
        let mut window = Window { x: [[simd.zero(); 3]; 3], rows, steps, column: left as usize, columns, count };
        for j in 0..3 - STRIDE {
            // SAFETY: the caller's promise.
            unsafe { window.read::<PARTIAL>(simd, j) };
        }
        window
    }

    /// Slides by `STRIDE` columns. `turn` is 0 at the first time and grows by `STRIDE` modulo 3.
    ///
    /// # Safety
    /// The image given to `new` is readable.
    #[inline(always)]
    pub(super) unsafe fn advance<const STRIDE: usize, const PARTIAL: bool>(&mut self, simd: S, turn: usize) {
        for j in 3 - STRIDE..3 {
            // SAFETY: the caller's promise.
            unsafe { self.read::<PARTIAL>(simd, (turn + j) % 3) };
        }
    }

    /// The pixel in row `i` and column `j`.
    #[inline(always)]
    pub(super) fn at(&self, turn: usize, i: usize, j: usize) -> S::V {
        self.x[i][(turn + j) % 3]
    }

    /// Reads the next column.
    ///
    /// # Safety
    /// The image given to `new` is readable.
    #[inline(always)]
    unsafe fn read<const PARTIAL: bool>(&mut self, simd: S, place: usize) {
        if self.column < self.columns {
            for i in 0..3 {
                // SAFETY: the row is within the image, and so is the column; or these are the zeros.
                self.x[i][place] = unsafe { load::<S, PARTIAL>(simd, self.rows[i], self.count) };
                self.rows[i] = self.rows[i].wrapping_add(self.steps[i]);
            }
        } else {
            for i in 0..3 {
                self.x[i][place] = simd.zero();
            }
        }
        self.column = self.column.wrapping_add(1);
    }
}

/// # Safety
/// `p` points to a vector, or `count` readable floats if `PARTIAL`.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const PARTIAL: bool>(simd: S, p: *const f32, count: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { if PARTIAL { simd.load_partial_ptr(p, count) } else { simd.load_ptr(p) } }
}

/// # Safety
/// `p` points to a vector, or `count` writable floats if `PARTIAL`.
#[inline(always)]
pub(super) unsafe fn store<S: Simd, const PARTIAL: bool>(simd: S, p: *mut f32, v: S::V, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if PARTIAL { simd.store_partial_ptr(p, v, count) } else { simd.store_ptr(p, v) } }
}
