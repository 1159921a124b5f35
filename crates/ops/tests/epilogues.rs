//! Ops that apply an epilogue do so where it is worth it, and change no bit by it.

use ferrograph_graph::Reference;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor};
use ferrograph_testkit::{check_epilogue, to_tensor};

/// Numbers between -1 and 1 that repeat after a while.
fn data(shape: &[usize], seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let elements = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f64 / 1001.5 - 1.0).collect();
    to_tensor(&Reference::new(DType::Float32, shape, elements))
}

#[test]
fn matmul_of_a_mebibyte() {
    let op = create_op("matmul", "{}").unwrap();
    // Products shared by rows, and many small ones.
    let cases: [[&[usize]; 2]; 4] = [
        [&[4200, 16], &[16, 64]],
        [&[2100, 130], &[130, 128]],
        [&[5000, 8, 9], &[9, 8]],
        [&[5000, 8, 9], &[5000, 9, 8]],
    ];
    for [a, b] in cases {
        let checked = check_epilogue(&op, &[data(a, 1), data(b, 2)]);
        assert_eq!(checked, Ok(()), "{a:?} {b:?}");
    }
}
