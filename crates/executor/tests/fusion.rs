//! Element-wise chains in one loop give what the nodes give one by one.

mod common;

use Function::{Add, Divide, Multiply, Negative, Root};
use common::{check, compare, data, float, map};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, ValueId};
use ferrograph_tensor::DType;
use ferrograph_testkit::toy::{Expand, Function, MatMul, Rename, Total};

fn steps(program: &Program, shapes: &[Vec<usize>]) -> Vec<String> {
    let text = program.describe(shapes).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    lines
}

#[test]
fn every_way_of_broadcasting() {
    let shapes: [(&[usize], &[usize]); 9] = [
        (&[3, 4], &[3, 4]),
        (&[3, 4], &[]),
        (&[3, 4], &[4]),
        (&[3, 4], &[3, 1]),
        (&[3, 1], &[1, 4]),
        (&[2, 3, 1, 5], &[4, 1]),
        (&[40, 30, 50], &[50]),
        (&[70, 1000], &[70, 1]),
        (&[30, 40, 50], &[30, 1, 50]),
    ];
    for (a_shape, b_shape) in shapes {
        let mut graph = Graph::new();
        let (a, b) = (graph.input(float(a_shape)), graph.input(float(b_shape)));
        let sum = map(&mut graph, Add, &[a, b]);
        let product = map(&mut graph, Multiply, &[b, sum]);
        let root = map(&mut graph, Root, &[product]);
        let inputs = [data(a_shape, 1), data(b_shape, 2)];
        let program = check(&graph, &inputs, &[root, sum]);
        assert_eq!(steps(&program, &[a_shape.to_vec(), b_shape.to_vec()]).len(), 1, "{a_shape:?} {b_shape:?}");
    }
}

#[test]
fn an_optimizer_step_is_one_loop() {
    let shape = [300, 200];
    let mut graph = Graph::new();
    let [weight, gradient, mean, square] = [(); 4].map(|()| graph.input(float(&shape)));
    let rate = graph.input(float(&[]));
    let [b1, c1, b2, c2, epsilon] = [0.9, 0.1, 0.999, 0.001, 1e-7].map(|x| graph.scalar(x).unwrap());
    let old = map(&mut graph, Multiply, &[mean, b1]);
    let new = map(&mut graph, Multiply, &[gradient, c1]);
    let mean = map(&mut graph, Add, &[old, new]);
    let old = map(&mut graph, Multiply, &[square, b2]);
    let squared = map(&mut graph, Multiply, &[gradient, gradient]);
    let new = map(&mut graph, Multiply, &[squared, c2]);
    let square = map(&mut graph, Add, &[old, new]);
    let root = map(&mut graph, Root, &[square]);
    let below = map(&mut graph, Add, &[root, epsilon]);
    let above = map(&mut graph, Multiply, &[mean, rate]);
    let change = map(&mut graph, Divide, &[above, below]);
    let change = map(&mut graph, Negative, &[change]);
    let weight = map(&mut graph, Add, &[weight, change]);
    let inputs: Vec<_> = (0..4).map(|n| data(&shape, n + 1)).chain([data(&[], 9)]).collect();
    let program = check(&graph, &inputs, &[weight, mean, square]);
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|input| input.shape.clone()).collect();
    assert_eq!(steps(&program, &shapes).len(), 1, "{}", program.describe(&shapes).unwrap());
}

#[test]
fn a_third_node_between_two_keeps_them_apart() {
    // root -> total -> expand -> multiply, and root -> multiply: the loop cannot wait for its own sum.
    let mut graph = Graph::new();
    let x = graph.input(float(&[50]));
    let root = map(&mut graph, Root, &[x]);
    let total = graph.apply(Total { like: false }, &[root]).unwrap();
    let share = map(&mut graph, Divide, &[root, total]);
    let twice = map(&mut graph, Add, &[share, root]);
    let program = check(&graph, &[data(&[50], 3)], &[twice]);
    let lines = steps(&program, &[vec![50]]);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[2].starts_with("loop of divide + add("), "{lines:?}");
}

#[test]
fn renamed_values_are_the_same_memory() {
    let mut graph = Graph::new();
    let x = graph.input(float(&[4, 6]));
    let negative = map(&mut graph, Negative, &[x]);
    let flat = graph.apply(Rename {}, &[negative]).unwrap();
    let again = graph.apply(Rename {}, &[flat]).unwrap();
    let sum = map(&mut graph, Add, &[again, flat]);
    let of_input = graph.apply(Rename {}, &[x]).unwrap();
    check(&graph, &[data(&[4, 6], 4)], &[sum, again, of_input, negative, x]);
}

#[test]
fn the_shape_of_a_value_does_not_need_its_data() {
    let mut graph = Graph::new();
    let x = graph.input(TensorType::new(DType::Float32, [None, Some(3)]));
    let w = graph.input(float(&[3, 5]));
    let unused = graph.apply(MatMul::default(), &[x, w]).unwrap();
    let number = graph.input(float(&[]));
    let numbers = graph.apply(Expand {}, &[number, unused]).unwrap();
    let program = check(&graph, &[data(&[7, 3], 5), data(&[3, 5], 6), data(&[], 7)], &[numbers]);
    assert_eq!(steps(&program, &[vec![7, 3], vec![3, 5], vec![]]).len(), 1);
}

#[test]
fn what_follows_from_shapes_is_known_before_the_run() {
    let mut graph = Graph::new();
    let x = graph.input(TensorType::new(DType::Float32, [None, Some(3)]));
    let two = graph.scalar(2.0).unwrap();
    let twos = graph.apply(Expand {}, &[two, x]).unwrap();
    let roots = map(&mut graph, Root, &[twos]);
    let sum = map(&mut graph, Add, &[x, roots]);
    for rows in [0, 1, 4] {
        let program = check(&graph, &[data(&[rows, 3], 8)], &[sum, roots]);
        let lines = steps(&program, &[vec![rows, 3]]);
        assert!(lines.len() == 1 && lines[0].starts_with("loop of add("), "{lines:?}");
    }
    // What is large is made by each run.
    let program = check(&graph, &[data(&[20_000, 3], 9)], &[sum]);
    let lines = steps(&program, &[vec![20_000, 3]]);
    assert!(lines[0].starts_with("loop of expand"), "{lines:?}");
}

#[test]
fn empty_values() {
    let mut graph = Graph::new();
    let x = graph.input(TensorType::new(DType::Float32, [None, Some(3)]));
    let w = graph.input(float(&[3, 2]));
    let y = graph.apply(MatMul::default(), &[x, w]).unwrap();
    let y = map(&mut graph, Negative, &[y]);
    let total = graph.apply(Total { like: false }, &[y]).unwrap();
    let program = check(&graph, &[data(&[0, 3], 1), data(&[3, 2], 2)], &[y, total]);
    compare(&program, &graph, &[data(&[5, 3], 1), data(&[3, 2], 2)], &[y, total]);
}

/// Random graphs of maps, sums and products: any grouping that a pass finds must give the same numbers.
#[test]
fn random_graphs_equal_the_interpreter() {
    for seed in 1..150u64 {
        let mut state = seed;
        let mut random = |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) as usize % n
        };
        let mut graph = Graph::new();
        let shapes: [&[usize]; 5] = [&[6, 6], &[6, 6], &[6, 1], &[6], &[]];
        let mut values: Vec<ValueId> = shapes.iter().map(|shape| graph.input(float(shape))).collect();
        for _ in 0..5 + random(40) {
            // Mostly recent values, so that chains grow.
            let mut pick = || values[values.len() - 1 - random(values.len().min(9))];
            let (a, b) = (pick(), pick());
            let new = match random(12) {
                0..=3 => map(&mut graph, Add, &[a, b]),
                // The mean of two keeps numbers in range however long the chain.
                4..=6 => {
                    let half = graph.scalar(0.5).unwrap();
                    let sum = map(&mut graph, Add, &[a, b]);
                    map(&mut graph, Multiply, &[sum, half])
                }
                7 => map(&mut graph, Negative, &[a]),
                8 => map(&mut graph, Divide, &[a, values[4]]),
                9 => {
                    let total = graph.apply(Total { like: false }, &[a]).unwrap();
                    let small = graph.scalar(1.0 / 64.0).unwrap();
                    map(&mut graph, Multiply, &[total, small])
                }
                10 if graph.ty(a).rank() == 2 && graph.ty(a) == graph.ty(b) && graph.ty(a).shape[1] == Some(6) => {
                    let product = graph.apply(MatMul::default(), &[a, b]).unwrap();
                    let small = graph.scalar(1.0 / 16.0).unwrap();
                    map(&mut graph, Multiply, &[product, small])
                }
                _ => graph.apply(Expand {}, &[values[4], a]).unwrap(),
            };
            values.push(new);
        }
        let inputs: Vec<_> = shapes.iter().enumerate().map(|(n, shape)| data(shape, seed + n as u64)).collect();
        let outputs: Vec<ValueId> = (0..3).map(|_| values[values.len() - 1 - random(6.min(values.len()))]).collect();
        // Cancellation would make relative errors meaningless; compare against the magnitude of the numbers.
        relative(&graph, &inputs, &outputs, seed);
    }
}

fn relative(graph: &Graph, inputs: &[ferrograph_graph::Reference], outputs: &[ValueId], seed: u64) {
    let expected = ferrograph_testkit::evaluate(graph, inputs, outputs);
    let program = Program::new(graph, outputs, &[]).unwrap();
    let tensors: Vec<_> = inputs.iter().map(common::to_tensor).collect();
    for (have, want) in program.run(&tensors, None).unwrap().iter().zip(&expected) {
        let scale = want.data.iter().fold(1.0f64, |m, x| m.max(x.abs()));
        for (have, want) in have.view().f32().iter().zip(&want.data) {
            assert!((f64::from(*have) - want).abs() <= 1e-4 * scale, "seed {seed}: {have} for {want}");
        }
    }
}
