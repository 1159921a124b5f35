//! Convolutions that pool their result give the bits that they give when the image between is in memory.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, ValueId, Variable};
use ferrograph_kernels::pool;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};
use std::sync::Arc;

/// Numbers between -1 and 1 that repeat after a while.
fn tensor(shape: &[usize], seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let elements: Vec<f32> = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
    Tensor::new(DType::Float32, shape, View::F32(&elements)).unwrap()
}

/// What stands between the convolution and the pooling: `'b'` adds a bias, `'B'` is added to a bias, `'e'` adds an image of one
/// pixel, `'0'`, `'6'` and `'s'` are rectifiers without and with a limit and the logistic function.
struct Case {
    image: [usize; 4],
    convolution: &'static str,
    kernel: [usize; 4],
    between: &'static str,
    pooling: &'static str,
}

const BY_TWO: &str = r#"{"poolSize":[2,2],"strides":[2,2]}"#;
const VALID: &str = "{}";
const SAME: &str = r#"{"padding":"same"}"#;

/// Holds the pooled result against that of a program in which every result is wanted. Returns the plan as text.
fn check(case: &Case) -> String {
    let mut graph = Graph::new();
    let x = graph.input(TensorType::known(DType::Float32, &case.image));
    let variable = |graph: &mut Graph, shape: &[usize], seed: usize| {
        graph.variable(&Arc::new(Variable::new(format!("variable {seed}"), tensor(shape, seed))))
    };
    let apply = |graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]| {
        graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
    };
    let kernel = variable(&mut graph, &case.kernel, 1);
    let mut results = vec![apply(&mut graph, "conv2d", case.convolution, &[x, kernel])];
    for (index, op) in case.between.chars().enumerate() {
        let y = *results.last().unwrap();
        let channels = case.kernel[3];
        results.push(match op {
            'b' | 'B' | 'e' => {
                let shape = if op == 'e' { vec![1, 1, 1, channels] } else { vec![channels] };
                let bias = variable(&mut graph, &shape, 50 + index);
                apply(&mut graph, "add", "{}", &if op == 'B' { [bias, y] } else { [y, bias] })
            }
            '0' => apply(&mut graph, "relu", "{}", &[y]),
            '6' => apply(&mut graph, "relu", r#"{"maxValue":0.5}"#, &[y]),
            _ => apply(&mut graph, "sigmoid", "{}", &[y]),
        });
    }
    let image = *results.last().unwrap();
    let pooled = apply(&mut graph, "max_pool2d", case.pooling, &[image]);
    results.push(pooled);
    let shape = [case.image.to_vec()];
    let apart = Program::new(&graph, &results, &[]).unwrap();
    assert!(!apart.describe(&shape).unwrap().contains("+ max_pool2d"));
    let input = tensor(&case.image, 7);
    let expected = apart.run(std::slice::from_ref(&input), None).unwrap().pop().unwrap();
    let mut text = String::new();
    for threads in [1, 2, 3] {
        pool::set_threads(threads);
        let program = Program::new(&graph, &[pooled], &[]).unwrap();
        text = program.describe(&shape).unwrap();
        for _ in 0..2 {
            let received = program.run(std::slice::from_ref(&input), None).unwrap().pop().unwrap();
            assert!(received.buffer().bytes() == expected.buffer().bytes(), "{threads} threads: {text}");
        }
    }
    text
}

#[test]
fn the_image_between_is_not_in_memory() {
    for between in ["b", "b0", "B6", "b6"] {
        for (image, kernel, convolution) in [
            ([3, 28, 28, 1], [3, 3, 1, 32], VALID),
            ([40, 28, 28, 1], [3, 3, 1, 32], SAME),
            ([2, 9, 7, 1], [3, 3, 1, 11], SAME),
            ([2, 13, 13, 32], [3, 3, 32, 64], VALID),
            ([70, 16, 16, 40], [3, 3, 40, 33], SAME),
            ([3, 10, 11, 32], [3, 3, 32, 32], r#"{"padding":"same","strict":true}"#),
        ] {
            let text = check(&Case { image, convolution, kernel, between, pooling: BY_TWO });
            assert!(text.contains("+ max_pool2d"), "{text}");
        }
    }
}

#[test]
fn what_no_kernel_pools_is_pooled_afterwards() {
    let case = Case { image: [2, 12, 12, 1], convolution: SAME, kernel: [3, 3, 1, 16], between: "b0", pooling: BY_TWO };
    let cases = [
        Case { between: "", ..case },
        Case { between: "0", ..case },
        Case { between: "bs", ..case },
        Case { between: "bb0", ..case },
        Case { between: "e0", ..case },
        Case { kernel: [3, 3, 1, 4], ..case },
        Case { image: [2, 12, 12, 3], kernel: [3, 3, 3, 16], ..case },
        Case { pooling: r#"{"poolSize":[3,3],"strides":[2,2]}"#, ..case },
        Case { pooling: r#"{"poolSize":[2,2],"strides":[1,1]}"#, ..case },
        Case { image: [2, 11, 11, 1], pooling: r#"{"poolSize":[2,2],"strides":[2,2],"padding":"same"}"#, ..case },
    ];
    for case in cases {
        let text = check(&case);
        assert!(!text.contains("+ max_pool2d"), "{text}");
    }
}
