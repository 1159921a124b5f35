//! Ops that apply an epilogue do so where it is worth it, and change no bit by it.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, TensorType, ValueId};
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

/// The result of the chain `ops` on a matrix `[m, n]`, with the values between as outputs too or not, and its plan:
/// `'r'` adds a row, `'v'` a matrix, `'0'` and `'6'` are rectifiers without and with a limit.
fn chain(product: bool, [m, n]: [usize; 2], ops: &str, all: bool) -> (Tensor, String) {
    let mut graph = Graph::new();
    let mut inputs = vec![];
    let mut input = |graph: &mut Graph, shape: &[usize]| {
        inputs.push(data(shape, inputs.len() * 1000 + 1));
        graph.input(TensorType::known(DType::Float32, shape))
    };
    let apply = |graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]| {
        graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
    };
    let mut y = if product {
        let operands = [input(&mut graph, &[m, 16]), input(&mut graph, &[16, n])];
        apply(&mut graph, "matmul", "{}", &operands)
    } else {
        input(&mut graph, &[m, n])
    };
    let mut values = vec![];
    for op in ops.chars() {
        y = match op {
            'r' | 'v' => {
                let shape = [m, n];
                let other = input(&mut graph, if op == 'r' { &shape[1..] } else { &shape });
                apply(&mut graph, "add", "{}", &[y, other])
            }
            '0' => apply(&mut graph, "relu", "{}", &[y]),
            _ => apply(&mut graph, "relu", r#"{"maxValue":1.5}"#, &[y]),
        };
        values.insert(0, y);
    }
    let program = Program::new(&graph, if all { &values } else { &values[..1] }, &[]).unwrap();
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|input| input.shape().to_vec()).collect();
    (program.run(&inputs, None).unwrap().swap_remove(0), program.describe(&shapes).unwrap())
}

#[test]
fn chains_of_one_pass_give_the_bits_of_one_op_after_another() {
    for ops in ["r", "r0", "r6", "v0", "rv", "rv0", "rv6", "v", "6", "rr0", "vr0", "r0v", "0r", "r06"] {
        for extents in [[4200, 64], [5000, 60], [3, 70], [1, 512], [40, 64]] {
            for product in [true, false] {
                let (inside, plan) = chain(product, extents, ops, false);
                let (apart, _) = chain(product, extents, ops, true);
                assert!(inside.buffer().bytes() == apart.buffer().bytes(), "{ops} {extents:?}:\n{plan}");
                assert_eq!(plan.lines().count(), 2, "{ops} {extents:?}:\n{plan}");
            }
        }
    }
}
