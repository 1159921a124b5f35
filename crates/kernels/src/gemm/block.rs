//! A block of rows x a range of panels, on one thread.
//!
//! Contains `unsafe`: rows are given by pointers its caller vouches for.

use super::rows::{Lines, Spacing};
use super::tile::{Packed, Walk, tile};
use super::{Epilogue, Identity, TileShape};
use ferrograph_simd::{Kernel, Level, Simd};
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a row walks along `k`: for every tap, `len` elements `stride` apart from the row pointer plus the tap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth<'a> {
    pub taps: &'a [usize],
    pub len: usize,
    pub stride: usize,
}

impl Depth<'_> {
    /// The number of products in a sum.
    pub(crate) fn total(&self) -> usize {
        self.taps.len() * self.len
    }

    /// Whether the columns of `A` are more than a strip apart.
    pub(super) fn is_far_apart(&self) -> bool {
        self.stride > STRIP
    }
}

/// Longer sums are computed in parts that continue from `C`, so that a panel stays in the second-level cache:
/// 1024 steps x 32 columns are 128 KiB.
const PART: usize = 1024;

/// Where neighbouring rows of `A` are neighbours in memory and its columns more than a strip apart (`A` transposed), every
/// step of a tile touches another cache line, often in the same set. A strip of rows is then copied to the stack first, for
/// parts of at most this many steps: 16 rows x 384 steps are 24 KiB.
const STAGED_PART: usize = 384;
/// Rows of a strip at most: a cache line.
pub(crate) const STRIP: usize = 16;
/// Panels that a staged strip meets before the next strip: 16 panels x 384 steps x 32 columns would be 768 KiB, 8 stay
/// in the second-level cache.
pub(super) const STAGED_PANELS: usize = 8;
/// Fewer panels do not repay the copy.
const MIN_STAGED_PANELS: usize = 4;

/// Rows that are few: less than two tiles of a level with small ones.
pub(super) const FEW: usize = 4;

/// Tiles that bring the next panel at most. More would ask for the same cache lines again and again.
const BRINGING: usize = 4;

/// What is brought into the second-level cache while a block is computed. It may lie anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next<'a> {
    /// Where what is multiplied by next begins, as far as can be told: worth 5 to 20 % where `B` comes from beyond the cache.
    Panel(*const f32),
    /// What the sums meet when they are done: an eighth less time for the update of a weight by Adam's rule.
    Beside(&'a Beside),
}

/// Where what some sums meet when they are done begins, an element of each for every sum; brought tile by tile.
#[derive(Debug)]
pub(crate) struct Beside {
    addresses: [usize; 3],
    /// Tiles that have brought their share.
    tiles: AtomicUsize,
}

impl Beside {
    pub(crate) fn new(addresses: [usize; 3]) -> Self {
        Self { addresses, tiles: AtomicUsize::new(0) }
    }

    /// Where the next tile's share begins, and how many floats of it each of `steps` brings: as many of one of the three as the
    /// tile's `sums` meet of all, at most a cache line.
    pub(super) fn share(&self, steps: usize, sums: usize) -> (*const f32, usize) {
        let share = (self.addresses.len() * sums).div_ceil(steps.max(1)).min(LINE);
        let tile = self.tiles.fetch_add(1, Ordering::Relaxed);
        let first = ptr::without_provenance::<f32>(self.addresses[tile % self.addresses.len()]);
        (first.wrapping_add(tile / self.addresses.len() * steps * share), share)
    }
}

/// Floats of a cache line.
const LINE: usize = 16;

/// One block of a product.
#[derive(Debug)]
pub(crate) struct Block<'a, E> {
    /// Where each row of `A` and of `C` starts.
    pub lines: Lines<'a>,
    /// How the rows of `A` are walked, with stride 1 if they are spaced.
    pub depth: Depth<'a>,
    /// All of `B`, packed for `depth.total()` and `columns`.
    pub packed: &'a [f32],
    /// Columns of `B` and `C`.
    pub columns: usize,
    /// The panels to compute.
    pub panels: Range<usize>,
    /// What this thread reads next.
    pub next: Next<'a>,
    /// Add to what `C` holds.
    pub accumulate: bool,
    /// Applied to the sums.
    pub epilogue: E,
}

impl<E: Epilogue> Block<'_, E> {
    /// Computes the block.
    ///
    /// # Safety
    /// * Every input row plus every tap plus every step lies within readable memory.
    /// * Every output row has `columns` writable floats, of which no other thread uses those of `panels`.
    /// * `level` is the one `packed` was packed at.
    pub(crate) unsafe fn run(self, level: Level) {
        let Depth { taps, len, stride } = self.depth;
        match self.lines {
            Lines::Listed { inputs, outputs } => assert_eq!(inputs.len(), outputs.len()),
            Lines::Spaced { .. } => assert_eq!(stride, 1, "spaced rows lie side by side"),
        }
        let most = if self.is_staged() { STAGED_PART } else { PART };
        let parts = self.depth.total().div_ceil(most);
        if parts <= 1 {
            // SAFETY: the caller's promise.
            return unsafe { self.run_part(level, self.depth, 0, self.accumulate, self.next, self.epilogue) };
        }
        // Parts are whole taps, or equal pieces of a single tap.
        if taps.len() == 1 {
            let piece = len.div_ceil(parts);
            for start in (0..len).step_by(piece) {
                let tap = taps[0] + start * stride;
                let part = Depth { taps: &[tap], len: piece.min(len - start), stride };
                // SAFETY: the part's steps are among the block's.
                unsafe { self.run_nth(level, part, start, start + part.len == len) };
            }
        } else {
            let piece = taps.len().div_ceil(parts);
            for (index, taps) in taps.chunks(piece).enumerate() {
                let part = Depth { taps, len, stride };
                let last = index * piece + taps.len() == self.depth.taps.len();
                // SAFETY: the part's taps are among the block's.
                unsafe { self.run_nth(level, part, index * piece * len, last) };
            }
        }
    }

    /// Where step `start` of a panel begins.
    fn panel(&self, level: Level, panel: usize, start: usize) -> *const f32 {
        let tile = TileShape::of(level);
        let column = panel * tile.columns;
        let width = (self.columns - column).min(tile.columns).next_multiple_of(tile.lanes);
        self.packed.as_ptr().wrapping_add(self.depth.total() * column + start * width)
    }

    /// Whether strips of rows are copied before they are multiplied.
    fn is_staged(&self) -> bool {
        let Lines::Listed { inputs, .. } = self.lines else { return false };
        let neighbours = |rows: &[*const f32]| rows[0].wrapping_add(1) == rows[1];
        self.depth.is_far_apart()
            && self.depth.taps.len() <= STAGED_PART
            && self.panels.len() >= MIN_STAGED_PANELS
            && inputs.len() > 1
            && inputs.windows(2).all(neighbours)
    }

    /// Computes one of several parts; the first may start from 0, and only the last applies the epilogue.
    ///
    /// # Safety
    /// As for [`Block::run`], of the steps of `part`.
    unsafe fn run_nth(&self, level: Level, part: Depth, start: usize, last: bool) {
        let accumulate = self.accumulate || start > 0;
        let next = match self.next {
            // The first part brings all.
            Next::Beside(_) if start == 0 => self.next,
            Next::Panel(_) if last => self.next,
            _ => Next::Panel(self.panel(level, self.panels.start, (start + part.total()) % self.depth.total())),
        };
        // SAFETY: the caller's promise.
        unsafe {
            if last {
                self.run_part(level, part, start, accumulate, next, self.epilogue);
            } else {
                self.run_part(level, part, start, accumulate, next, Identity);
            }
        }
    }

    /// # Safety
    /// As for [`Block::run`], of the steps of `part`.
    unsafe fn run_part<F: Epilogue>(
        &self,
        level: Level,
        part: Depth,
        start: usize,
        accumulate: bool,
        next: Next<'_>,
        epilogue: F,
    ) {
        let walk = Walk { taps: part.taps, len: part.len, stride: part.stride, accumulate };
        let Block { lines, packed, columns, ref panels, .. } = *self;
        let (depth, panels) = (self.depth.total(), panels.clone());
        let part = Part { lines, walk, start, depth, packed, columns, panels, next, epilogue };
        let (true, Lines::Listed { inputs, outputs }) = (self.is_staged() && part.steps() <= STAGED_PART, lines) else {
            return level.run(part);
        };
        #[allow(clippy::large_stack_arrays, reason = "24 KiB, on threads with megabytes of stack")]
        let mut strip = Strip([[0.0; STRIP]; STAGED_PART]);
        for first in part.panels.clone().step_by(STAGED_PANELS) {
            let panels = first..part.panels.end.min(first + STAGED_PANELS);
            for row in (0..inputs.len()).step_by(STRIP) {
                let rows = row..inputs.len().min(row + STRIP);
                // SAFETY: all rows are readable at all steps and neighbours, see `run` and `is_staged`.
                unsafe { strip.fill(level, inputs[row], rows.len(), walk) };
                let start = strip.0.as_ptr().cast::<f32>();
                let inputs: [*const f32; STRIP] = std::array::from_fn(|i| start.wrapping_add(i));
                let walk = Walk { taps: &[0], len: part.steps(), stride: STRIP, ..walk };
                let lines = Lines::Listed { inputs: &inputs[..rows.len()], outputs: &outputs[rows] };
                level.run(Part { lines, walk, panels: panels.clone(), ..part });
            }
        }
    }
}

/// The steps from `start` on of a block's sums of `depth` products. Not generic over the block's own epilogue, so that
/// the parts before the last share their code.
struct Part<'a, F> {
    lines: Lines<'a>,
    walk: Walk<'a>,
    start: usize,
    depth: usize,
    packed: &'a [f32],
    columns: usize,
    panels: Range<usize>,
    /// See [`Block`].
    next: Next<'a>,
    epilogue: F,
}

impl<F> Part<'_, F> {
    fn steps(&self) -> usize {
        self.walk.taps.len() * self.walk.len
    }
}

impl<F: Epilogue> Kernel for Part<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Part { lines, walk, start, depth, packed, ref panels, next, epilogue, .. } = self;
        let steps = self.steps();
        let rows = lines.rows();
        // Few rows are listed: tiles of them have no other form.
        let (mut inputs, mut outputs) = ([ptr::null(); FEW], [ptr::null_mut(); FEW]);
        let lines = match lines {
            Lines::Spaced { input, output, spacing, rows } if rows <= FEW => {
                for i in 0..rows {
                    inputs[i] = input.wrapping_add(i * spacing.inputs);
                    outputs[i] = output.wrapping_add(i * spacing.outputs);
                }
                Lines::Listed { inputs: &inputs[..rows], outputs: &outputs[..rows] }
            }
            lines => lines,
        };
        let width = S::TILE_VECTORS * S::N;
        let full = self.columns / width;
        assert!(packed.len() >= depth * self.columns && panels.end <= self.columns.div_ceil(width));
        let mut panel = panels.start;
        while panel < panels.end {
            let column = panel * width;
            let columns = (self.columns - column).min(width);
            let vectors = columns.div_ceil(S::N);
            let side_by_side = panels.end.min(full).saturating_sub(panel);
            let cursor = Cursor {
                walk,
                // SAFETY: the panel starts within `packed`, and its row `start` as well, both asserted above.
                b: unsafe { packed.as_ptr().add(depth * column + start * vectors * S::N) },
                panel_stride: depth * width,
                ahead: packed.as_ptr(),
                share: 0,
                column,
                epilogue,
            };
            // With few rows, several panels are needed for enough independent sums to hide the latency of an addition.
            // SAFETY: `Block::run`'s promises; the panels exist, since `side_by_side` counts full ones only.
            unsafe {
                if rows == 1 && side_by_side >= 4 {
                    cursor.full::<S, 1, 4>(simd, lines);
                    panel += 4;
                } else if rows <= 2 && side_by_side >= 2 {
                    match rows {
                        1 => cursor.full::<S, 1, 2>(simd, lines),
                        2 => cursor.full::<S, 2, 2>(simd, lines),
                        _ => {}
                    }
                    panel += 2;
                } else {
                    // Rows are dealt out evenly, since a tile of few rows is slow.
                    let tiles = rows.div_ceil(tile_rows::<S>(vectors));
                    // Some tiles bring a share of the next panel each, which may come from far away.
                    let bringing = tiles.min(BRINGING);
                    let share = (vectors * S::N).div_ceil(bringing).min(S::N);
                    let mut row = 0;
                    for tile in 0..tiles {
                        let end = row + rows / tiles + usize::from(tile < rows % tiles);
                        let (ahead, share) = match next {
                            Next::Beside(beside) => beside.share(steps, (end - row) * vectors * S::N),
                            Next::Panel(_) if tile >= bringing || vectors == 1 => {
                                match following_rows(lines, walk, end) {
                                    Some(rows) if panel == panels.start => (rows, end - row),
                                    _ => (cursor.b, share),
                                }
                            }
                            Next::Panel(next) => {
                                let following = cursor.b.wrapping_add(cursor.panel_stride);
                                let next = if panel + 1 < panels.end { following } else { next };
                                (next.wrapping_add(tile * steps * share), share)
                            }
                        };
                        let cursor = Cursor { ahead, share, ..cursor };
                        let lines = lines.part(row..end);
                        let lines = if walk.stride == 1 { lines.evened() } else { lines };
                        match vectors {
                            1 => cursor.one_panel::<S, 1>(simd, lines, columns),
                            2 if const { S::TILE_VECTORS >= 2 } => cursor.one_panel::<S, 2>(simd, lines, columns),
                            3 if const { S::TILE_VECTORS >= 3 } => cursor.one_panel::<S, 3>(simd, lines, columns),
                            4 if const { S::TILE_VECTORS >= 4 } => cursor.one_panel::<S, 4>(simd, lines, columns),
                            _ => unreachable!("panels are 1 to 4 vectors wide"),
                        }
                        row = end;
                    }
                    panel += 1;
                }
            }
        }
    }
}

/// Where the rows from `row` on begin, if they follow each other without gaps and `walk` is all of each. The first panel brings
/// those of the next tile: with sums of 576 products, whose rows of `A` come from beyond the cache, a product of two panels
/// takes 0.95 of the time.
fn following_rows(lines: Lines, walk: Walk, row: usize) -> Option<*const f32> {
    let Lines::Spaced { input, spacing, .. } = lines else { return None };
    (walk.taps.len() == 1 && walk.len == spacing.inputs)
        .then(|| input.wrapping_add(walk.taps[0] + row * spacing.inputs))
}

/// Rows of a tile that is `vectors` vectors wide. A single vector takes few registers and needs more rows: the loads of
/// `A`, one for each product, are what limits it, and its sums are barely enough to hide the latency of an addition.
const fn tile_rows<S: Simd>(vectors: usize) -> usize {
    match (vectors, S::TILE_ROWS * S::TILE_VECTORS) {
        (1, sums @ ..12) => sums,
        (1, _) => 12,
        _ => S::TILE_ROWS,
    }
}

/// A strip of `A`, steps x rows, a cache line for each step.
#[repr(align(64))]
struct Strip([[f32; STRIP]; STAGED_PART]);

impl Strip {
    /// Copies the neighbouring rows from `first` on, at all steps of `walk`.
    ///
    /// # Safety
    /// `rows` floats are readable at every step. There are at most `STRIP` rows and `STAGED_PART` steps.
    unsafe fn fill(&mut self, level: Level, first: *const f32, rows: usize, walk: Walk) {
        struct Fill<'a>(&'a mut Strip, *const f32, usize, Walk<'a>);
        impl Kernel for Fill<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, simd: S) {
                let Fill(strip, first, rows, walk) = self;
                let mut steps = strip.0.iter_mut();
                for tap in walk.taps {
                    let steps = steps.by_ref().take(walk.len).enumerate();
                    for (step, to) in steps {
                        let to = &mut to[..rows];
                        for (part, to) in to.chunks_mut(S::N).enumerate() {
                            // SAFETY: the caller's promise.
                            let v = unsafe {
                                let from = first.add(tap + step * walk.stride + part * S::N);
                                simd.load_partial_ptr(from, to.len())
                            };
                            simd.store_partial(to, v);
                        }
                    }
                }
            }
        }
        level.run(Fill(self, first, rows, walk));
    }
}

/// The position of a tile along the columns.
#[derive(Clone, Copy)]
struct Cursor<'a, F> {
    walk: Walk<'a>,
    b: *const f32,
    panel_stride: usize,
    /// What to bring into the cache meanwhile, see [`tile`].
    ahead: *const f32,
    share: usize,
    column: usize,
    epilogue: F,
}

impl<F: Epilogue> Cursor<'_, F> {
    /// `ROWS` rows x `PANELS` full panels.
    ///
    /// # Safety
    /// As for [`tile`].
    #[inline(always)]
    unsafe fn full<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S, lines: Lines<'_>) {
        let Lines::Listed { inputs: a, outputs: c } = lines else { unreachable!("few rows are listed") };
        let Cursor { walk, b, panel_stride, column, epilogue, ahead, share } = self;
        let columns = PANELS * S::TILE_VECTORS * S::N;
        let b = Packed { b, panel_stride };
        // SAFETY: the caller's promise.
        unsafe {
            if const { S::TILE_VECTORS == 2 } {
                tile::<S, F, Packed, ROWS, PANELS, 2, false>(
                    simd,
                    walk,
                    Spacing::UNUSED,
                    a,
                    b,
                    ahead,
                    share,
                    c,
                    column,
                    columns,
                    epilogue,
                );
            } else {
                tile::<S, F, Packed, ROWS, PANELS, 4, false>(
                    simd,
                    walk,
                    Spacing::UNUSED,
                    a,
                    b,
                    ahead,
                    share,
                    c,
                    column,
                    columns,
                    epilogue,
                );
            }
        }
    }

    /// Up to `tile_rows` rows x one panel of `VECTORS` vectors.
    ///
    /// # Safety
    /// As for [`tile`].
    #[inline(always)]
    unsafe fn one_panel<S: Simd, const VECTORS: usize>(self, simd: S, lines: Lines<'_>, columns: usize) {
        let Cursor { walk, b, ahead, share, column, epilogue, .. } = self;
        let b = Packed { b, panel_stride: 0 };
        macro_rules! rows {
            ($spaced:literal, $spacing:expr, $a:expr, $c:expr, $count:expr, $($rows:literal)+) => {
                match $count {
                    $($rows if const { $rows <= tile_rows::<S>(VECTORS) } => {
                        tile::<S, F, Packed, $rows, 1, VECTORS, $spaced>(
                            simd, walk, $spacing, $a, b, ahead, share, $c, column, columns, epilogue,
                        );
                    })+
                    _ => unreachable!("tiles have 1 to 12 rows, spaced ones at least 2"),
                }
            };
        }
        // SAFETY: the caller's promise.
        unsafe {
            match lines {
                Lines::Listed { inputs, outputs } => {
                    rows!(false, Spacing::UNUSED, inputs, outputs, inputs.len(), 1 2 3 4 5 6 7 8 9 10 11 12);
                }
                Lines::Spaced { input, output, spacing, rows } => {
                    rows!(true, spacing, &[input], &[output], rows, 2 3 4 5 6 7 8 9 10 11 12);
                }
            }
        }
    }
}
