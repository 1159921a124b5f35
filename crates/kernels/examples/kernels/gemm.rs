//! Matrix products with `B` packed beforehand, as weights are.

use crate::report::{Floats, Work, measure};
use ferrograph_kernels::gemm::{Matrix, gemm, pack, packed_len};

/// Square ones.
const SQUARES: [usize; 9] = [64, 96, 128, 192, 256, 512, 768, 1024, 2048];

/// Rows, steps and columns: dense layers for one row and for batches, and products as convolutions make them.
const SHAPES: [[usize; 3]; 9] = [
    [1, 256, 256],
    [1, 512, 512],
    [1, 784, 512],
    [1, 1024, 1024],
    [8, 512, 512],
    [32, 784, 512],
    [3136, 576, 64],
    [784, 1152, 128],
    [196, 2304, 256],
];

/// Gradients of dense layers' weights for a batch of 64, where `A` is read transposed.
const TRANSPOSED: [[usize; 3]; 2] = [[784, 64, 512], [512, 64, 512]];

/// Steps and columns of what a training step of those layers packs.
const PACKED: [[usize; 2]; 3] = [[784, 512], [512, 512], [64, 512]];

pub fn report() {
    for [m, k, n] in SQUARES.map(|n| [n; 3]).into_iter().chain(SHAPES) {
        product("gemm", [m, k, n], false);
    }
    for shape in TRANSPOSED {
        product("gemm, A transposed", shape, true);
    }
    for [k, n] in PACKED {
        packing([k, n]);
    }
    for m in [1, 32, 256] {
        layers(m);
    }
}

/// The products of a network of dense layers one after the other: its weights together exceed a second-level cache of 2 MiB.
fn layers(m: usize) {
    let extents = [[784, 512], [512, 512], [512, 10]];
    let weights = extents.map(|[k, n]| Floats::new(packed_len(k, n)));
    let (x, mut hidden, mut y) = (Floats::new(m * 784), [(); 2].map(|()| Floats::new(m * 512)), Floats::new(m * 10));
    let flops = extents.iter().map(|[k, n]| (2 * m * k * n) as f64).sum();
    let operands = [&weights[0], &weights[1], &weights[2], &x];
    measure("gemm, three layers", &format!("{m}x784x512x512x10"), Work::Flops(flops), &operands, &mut y, |y| {
        let [first, second] = &mut hidden;
        let outputs = [first.get_mut(), second.get_mut(), y];
        let mut input = x.get();
        for ((&[k, n], packed), y) in extents.iter().zip(&weights).zip(outputs) {
            gemm(m, k, n, Matrix::row_major(input, k), packed.get(), y, n, false);
            input = y;
        }
    });
}

fn packing([k, n]: [usize; 2]) {
    let (from, mut packed) = (Floats::new(k * n), Floats::new(packed_len(k, n)));
    let bytes = Work::Bytes((2 * size_of::<f32>() * k * n) as f64);
    let (plain, transposed) = (Matrix::row_major(from.get(), n), Matrix::transposed(from.get(), k));
    for (name, b) in [("pack", plain), ("pack, B transposed", transposed)] {
        measure(name, &format!("{k}x{n}"), bytes, &[&from], &mut packed, |packed| pack(k, n, b, packed));
    }
}

fn product(name: &str, [m, k, n]: [usize; 3], transposed: bool) {
    let (a, mut packed, mut c) = (Floats::new(m * k), Floats::new(packed_len(k, n)), Floats::new(m * n));
    pack(k, n, Matrix::row_major(Floats::new(k * n).get(), n), packed.get_mut());
    let matrix = if transposed { Matrix::transposed(a.get(), m) } else { Matrix::row_major(a.get(), k) };
    let flops = Work::Flops((2 * m * k * n) as f64);
    measure(name, &format!("{m}x{k}x{n}"), flops, &[&packed, &a], &mut c, |c| {
        gemm(m, k, n, matrix, packed.get(), c, n, false);
    });
}
