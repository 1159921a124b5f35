use super::*;
use crate::testing::{Random, at_thread_counts, bits};
use ferrograph_simd::with_level;

/// `C = A B + C` in f64.
fn naive(m: usize, k: usize, n: usize, a: Matrix, b: Matrix, c: &[f32], c_row_stride: usize) -> Vec<f64> {
    let at = |x: &Matrix, i: usize, j: usize| f64::from(x.data[i * x.row_stride + j * x.column_stride]);
    let mut r = Vec::new();
    for i in 0..m {
        for j in 0..n {
            let sum: f64 = (0..k).map(|p| at(&a, i, p) * at(&b, p, j)).sum();
            r.push(sum + f64::from(c[i * c_row_stride + j]));
        }
    }
    r
}

struct Case {
    m: usize,
    k: usize,
    n: usize,
    transpose_a: bool,
    transpose_b: bool,
    /// Elements between the rows of C that must be left alone.
    gap: usize,
    accumulate: bool,
}

impl Case {
    fn a<'a>(&self, data: &'a [f32]) -> Matrix<'a> {
        if self.transpose_a { Matrix::transposed(data, self.m) } else { Matrix::row_major(data, self.k) }
    }
    fn b<'a>(&self, data: &'a [f32]) -> Matrix<'a> {
        if self.transpose_b { Matrix::transposed(data, self.k) } else { Matrix::row_major(data, self.n) }
    }
    fn run(&self, a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
        let &Case { m, k, n, .. } = self;
        let mut packed = vec![f32::NAN; packed_len(k, n)];
        pack(k, n, self.b(b), &mut packed);
        let mut c = c.to_vec();
        gemm(m, k, n, self.a(a), &packed, &mut c, n + self.gap, self.accumulate);
        c
    }
}

fn check(case: &Case, random: &mut Random) {
    let &Case { m, k, n, gap, accumulate, .. } = case;
    // Small integers, so that f32 sums are exact in any order.
    let (a, b) = (random.integers(m * k), random.integers(k * n));
    let before = random.integers(m * (n + gap));
    let start = if accumulate { before.clone() } else { vec![0.0; before.len()] };
    let expected = naive(m, k, n, case.a(&a), case.b(&b), &start, n + gap);
    for level in Level::available() {
        let c = with_level(level, || at_thread_counts(|| case.run(&a, &b, &before)));
        for i in 0..m {
            for j in 0..n + gap {
                let (at, name) = (i * (n + gap) + j, level.name());
                let want = if j < n { expected[i * n + j] } else { f64::from(before[at]) };
                assert_eq!(f64::from(c[at]), want, "{name} {m}x{k}x{n} at {i}, {j}");
            }
        }
    }
}

#[test]
fn integers_are_exact_for_all_tails() {
    let mut random = Random::new(1);
    let extents: Vec<usize> = (0..=19).chain([31, 32, 33, 48, 63, 65, 100, 129]).collect();
    for (round, &m) in extents.iter().enumerate() {
        for &n in &extents {
            let k = extents[random.below(extents.len())];
            let flag = |bit: usize| (round + n) >> bit & 1 == 1;
            let (transpose_a, transpose_b, accumulate) = (flag(0), flag(1), flag(2));
            let gap = if flag(1) { 3 } else { 0 };
            check(&Case { m, k, n, transpose_a, transpose_b, gap, accumulate }, &mut random);
        }
    }
}

#[test]
fn long_sums_and_many_chunks() {
    let mut random = Random::new(2);
    for (m, k, n) in [(3, 5000, 40), (300, 70, 300), (1, 1500, 700), (517, 260, 33), (9, 2049, 129)] {
        let accumulate = m % 2 == 1;
        check(&Case { m, k, n, transpose_a: false, transpose_b: true, gap: 0, accumulate }, &mut random);
        check(&Case { m, k, n, transpose_a: true, transpose_b: false, gap: 5, accumulate }, &mut random);
    }
}

#[test]
fn rows_do_not_depend_on_their_neighbours() {
    let mut random = Random::new(3);
    for (m, k, n) in [(37, 300, 70), (8, 64, 200), (3, 2500, 33), (300, 130, 160)] {
        let (a, b) = (random.normal(m * k), random.normal(k * n));
        let case = |m| Case { m, k, n, transpose_a: false, transpose_b: false, gap: 0, accumulate: false };
        for level in Level::available() {
            with_level(level, || {
                let together = at_thread_counts(|| case(m).run(&a, &b, &vec![0.0; m * n]));
                for i in (0..m).step_by(1 + m / 40) {
                    let alone = case(1).run(&a[i * k..][..k], &b, &vec![0.0; n]);
                    assert_eq!(bits(&alone), bits(&together[i * n..][..n]), "{} row {i}", level.name());
                }
            });
        }
    }
}

#[test]
fn close_to_f64() {
    let mut random = Random::new(4);
    let (m, k, n) = (20, 700, 50);
    let case = Case { m, k, n, transpose_a: false, transpose_b: false, gap: 0, accumulate: false };
    let (a, b) = (random.normal(m * k), random.normal(k * n));
    let expected = naive(m, k, n, case.a(&a), case.b(&b), &vec![0.0; m * n], n);
    for level in Level::available() {
        let c = with_level(level, || case.run(&a, &b, &vec![0.0; m * n]));
        for (c, expected) in c.iter().zip(&expected) {
            // Rounding errors of 700 terms of variance 1 add up like a random walk.
            assert!((f64::from(*c) - expected).abs() < 700.0 * 6e-8 * 3.0, "{}: {c} {expected}", level.name());
        }
    }
}

#[test]
fn epilogues() {
    let mut random = Random::new(5);
    for (m, k, n) in [(1, 3, 70), (7, 4, 33), (11, 2500, 5)] {
        let (a, b, bias) = (random.integers(m * k), random.integers(k * n), random.integers(n));
        for level in Level::available() {
            with_level(level, || {
                let mut packed = vec![0.0; packed_len(k, n)];
                pack(k, n, Matrix::row_major(&b, n), &mut packed);
                let (mut plain, mut biased, mut rectified) = (vec![0.0; m * n], vec![0.0; m * n], vec![0.0; m * n]);
                let a = Matrix::row_major(&a, k);
                gemm(m, k, n, a, &packed, &mut plain, n, false);
                gemm_with(m, k, n, a, &packed, &mut biased, n, false, Bias(&bias));
                gemm_with(m, k, n, a, &packed, &mut rectified, n, false, BiasRelu(&bias));
                for i in 0..m * n {
                    assert_eq!(biased[i], plain[i] + bias[i % n]);
                    assert_eq!(rectified[i], biased[i].max(0.0));
                }
            });
        }
    }
}

#[test]
fn what_is_not_packed_before_gives_the_same() {
    let mut random = Random::new(7);
    let mut transpose_b = false;
    for m in [4, 5, 8, 9, 31, 64, 255, 256] {
        for (k, n) in [(1, 129), (7, 192), (100, 65), (33, 700), (1100, 96), (2048, 130)] {
            let (a, b, bias) = (random.normal(m * k), random.normal(k * n), random.normal(n));
            for level in Level::available().into_iter().flat_map(|level| [level; 2]) {
                transpose_b = !transpose_b;
                with_level(level, || {
                    let case = Case { m, k, n, transpose_a: false, transpose_b, gap: 0, accumulate: false };
                    let mut packed = vec![f32::NAN; packed_len(k, n)];
                    pack(k, n, case.b(&b), &mut packed);
                    let mut expected = vec![f32::NAN; m * n];
                    gemm_with(m, k, n, case.a(&a), &packed, &mut expected, n, false, BiasRelu(&bias));
                    let received = at_thread_counts(|| {
                        let mut scratch = vec![f32::NAN; unpacked_scratch_len(m, k, n).unwrap()];
                        let mut c = vec![f32::NAN; m * n];
                        gemm_unpacked(m, k, n, &a, case.b(&b), &mut scratch, &mut c, BiasRelu(&bias));
                        c
                    });
                    assert_eq!(bits(&received), bits(&expected), "{} {m}x{k}x{n} {transpose_b}", level.name());
                });
            }
        }
    }
    for (m, k, n) in [(3, 9, 700), (257, 9, 700), (64, 2049, 700), (64, 0, 700), (64, 9, 8)] {
        assert_eq!(unpacked_scratch_len(m, k, n), None);
    }
}

#[test]
fn finished_parts_are_whole_rows_once() {
    let mut random = Random::new(6);
    // Small; few rows shared by panels; a share for each thread; many rows that would be shared by panels; sums in parts.
    for (m, k, n) in [(3, 5, 7), (1, 9, 40), (130, 300, 300), (150, 64, 130), (1100, 64, 130), (1030, 1500, 40)] {
        let (a, b) = (random.normal(m * k), random.normal(k * n));
        for level in Level::available() {
            with_level(level, || {
                let mut packed = vec![0.0; packed_len(k, n)];
                pack(k, n, Matrix::row_major(&b, n), &mut packed);
                let a = Matrix::row_major(&a, k);
                let mut expected = vec![0.0; m * n];
                gemm(m, k, n, a, &packed, &mut expected, n, false);
                for (i, x) in expected.iter_mut().enumerate() {
                    *x = *x * 2.0 + i as f32;
                }
                let received = at_thread_counts(|| {
                    let mut c = vec![f32::NAN; m * n];
                    gemm_then(m, k, n, a, &packed, &mut c, |start, part| {
                        assert!(start % n == 0 && part.len() % n == 0, "{start} {}", part.len());
                        for (i, x) in part.iter_mut().enumerate() {
                            *x = *x * 2.0 + (start + i) as f32;
                        }
                    });
                    c
                });
                assert_eq!(bits(&received), bits(&expected), "{} {m}x{k}x{n}", level.name());
            });
        }
    }
}

#[test]
#[should_panic(expected = "exceed the matrix")]
fn a_short_matrix_is_refused() {
    gemm(2, 3, 1, Matrix::row_major(&[0.0; 5], 3), &vec![0.0; packed_len(3, 1)], &mut [0.0; 2], 1, false);
}

#[test]
#[should_panic(expected = "do not overlap")]
fn overlapping_rows_are_refused() {
    gemm(2, 1, 3, Matrix::row_major(&[0.0; 2], 1), &vec![0.0; packed_len(1, 3)], &mut [0.0; 5], 2, false);
}

#[test]
fn tiles_bring_all_that_lies_beside_their_sums() {
    let (tiles, sums) = (24, 256);
    for steps in [1, 47, 48, 64, 100, 384] {
        let addresses = [1 << 20, 2 << 20, 3 << 20];
        let beside = Beside::new(addresses);
        let mut brought = [0; 3];
        for _ in 0..tiles {
            let (first, share) = beside.share(steps, sums);
            let at = addresses.iter().rposition(|address| *address <= first.addr()).unwrap();
            // One after the other.
            assert_eq!(first.addr() - addresses[at], brought[at] * size_of::<f32>());
            assert!((1..=16).contains(&share), "at most a cache line for each step");
            brought[at] += steps * share;
        }
        let wanted = if steps < 48 { tiles / 3 * steps * 16 } else { tiles * sums };
        assert!(brought.iter().all(|brought| (wanted..wanted * 11 / 8).contains(brought)), "{steps}: {brought:?}");
    }
}

#[test]
fn spaced_rows_have_the_bits_of_listed_ones() {
    const GAP: usize = 3;
    let mut random = Random::new(71);
    for level in Level::available() {
        for (rows, taps, len, columns) in [
            (1, 1, 5, 70),
            (2, 1, 9, 70),
            (5, 2, 4, 40),
            (13, 3, 9, 33),
            (31, 1, 16, 24),
            (50, 1, 1030, 16),
            (29, 2, 3, 1),
        ] {
            let taps: Vec<usize> = (0..taps).map(|tap| tap * len * 2).collect();
            let depth = Depth { taps: &taps, len, stride: 1 };
            let (apart, total) = (2 * len * taps.len() + 1, depth.total());
            let (a, b) = (random.normal(rows * apart), random.normal(total * columns));
            let before = random.normal(rows * (columns + GAP));
            let run = |accumulate: bool, lines: &dyn Fn(*const f32, *mut f32) -> Vec<(*const f32, *mut f32)>| {
                with_level(level, || {
                    let mut packed = vec![f32::NAN; packed_len(total, columns)];
                    pack(total, columns, Matrix::row_major(&b, columns), &mut packed);
                    let mut c = before.clone();
                    let spacing = Spacing { inputs: apart, outputs: columns + GAP };
                    let (input, output) = (a.as_ptr(), c.as_mut_ptr());
                    let (inputs, outputs): (Vec<_>, Vec<_>) = lines(input, output).into_iter().unzip();
                    let block = Block {
                        lines: if inputs.is_empty() {
                            Lines::Spaced { input, output, spacing, rows }
                        } else {
                            Lines::Listed { inputs: &inputs, outputs: &outputs }
                        },
                        depth,
                        packed: &packed,
                        columns,
                        panels: 0..columns.div_ceil(TileShape::of(level).columns),
                        next: Next::Panel(packed.as_ptr()),
                        accumulate,
                        epilogue: Identity,
                    };
                    // SAFETY: the rows, all taps and steps lie within `a`, and the rows of the result within `c`.
                    unsafe { block.run(level) };
                    c
                })
            };
            for accumulate in [false, true] {
                let listed = run(accumulate, &|input, output| {
                    let row = |i| (input.wrapping_add(i * apart), output.wrapping_add(i * (columns + GAP)));
                    (0..rows).map(row).collect()
                });
                let spaced = run(accumulate, &|_, _| Vec::new());
                assert_eq!(bits(&spaced), bits(&listed), "{} {rows} rows, {total} x {columns}", level.name());
            }
        }
    }
}
