//! A value that is added behind a convolution and its bias changes no bit by being added while the sums are in the cache.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, ValueId};
use ferrograph_kernels::pool;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};

/// Numbers between -1 and 1 that repeat after a while.
fn data(shape: &[usize], seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let elements: Vec<f32> = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
    Tensor::new(DType::Float32, shape, View::F32(&elements)).unwrap()
}

fn apply(graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
}

/// A graph under construction with the values of its inputs.
#[derive(Default)]
struct Network {
    graph: Graph,
    inputs: Vec<Tensor>,
    /// All results, the last one first.
    results: Vec<ValueId>,
}

impl Network {
    fn input(&mut self, shape: &[usize]) -> ValueId {
        self.inputs.push(data(shape, self.inputs.len() * 1000 + 1));
        self.graph.input(TensorType::known(DType::Float32, shape))
    }

    fn apply(&mut self, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
        let y = apply(&mut self.graph, op, attributes, operands);
        self.results.insert(0, y);
        y
    }

    /// A convolution of `x` and the sum with its bias.
    fn convolution(&mut self, op: &str, attributes: &str, x: ValueId, kernel: &[usize]) -> ValueId {
        let kernel = self.input(kernel);
        let y = self.apply(op, attributes, &[x, kernel]);
        let bias = self.input(&[self.graph.ty(y).shape[3].unwrap()]);
        self.apply("add", "{}", &[y, bias])
    }

    /// Holds the last result on several threads against that of a program in which every result is wanted, so that nothing is
    /// joined, and returns the plan.
    fn check(&self) -> String {
        let shapes: Vec<Vec<usize>> = self.inputs.iter().map(|input| input.shape().to_vec()).collect();
        let apart = Program::new(&self.graph, &self.results, &[]).unwrap();
        let expected = apart.run(&self.inputs, None).unwrap().swap_remove(0);
        let mut plan = String::new();
        for threads in 1..4 {
            pool::set_threads(threads);
            let joined = Program::new(&self.graph, &self.results[..1], &[]).unwrap();
            plan = joined.describe(&shapes).unwrap();
            let received = joined.run(&self.inputs, None).unwrap().swap_remove(0);
            assert!(received.buffer().bytes() == expected.buffer().bytes(), "{threads} threads: {plan}");
        }
        plan
    }
}

const SAME: &str = r#"{"padding":"same"}"#;

#[test]
fn behind_every_convolution() {
    let cases: [(&str, &str, [usize; 4], [usize; 4]); 12] = [
        // One row of pixels, panels of every width, long sums, more rows than a tile has.
        ("conv2d", "{}", [1, 1, 1, 40], [1, 1, 40, 300]),
        ("conv2d", "{}", [1, 1, 2, 40], [1, 1, 40, 77]),
        ("conv2d", "{}", [2, 7, 9, 1500], [1, 1, 1500, 70]),
        // Panels in groups, so that a pixel is finished part by part.
        ("conv2d", "{}", [1, 14, 14, 130], [1, 1, 130, 1000]),
        ("conv2d", r#"{"strides":[2,2]}"#, [2, 30, 31, 24], [1, 1, 24, 144]),
        ("conv2d", SAME, [2, 9, 8, 5], [3, 3, 5, 19]),
        ("conv2d", r#"{"padding":"same","groups":3}"#, [2, 9, 8, 9], [3, 3, 3, 21]),
        // A single channel; Winograd's method with blocks of its own for each thread, with a shared one, and with small tiles.
        ("conv2d", "{}", [2, 28, 28, 1], [3, 3, 1, 35]),
        ("conv2d", SAME, [3, 21, 22, 64], [3, 3, 64, 40]),
        ("conv2d", SAME, [1, 14, 13, 128], [3, 3, 128, 129]),
        ("conv2d", r#"{"padding":"same","strict":true}"#, [1, 14, 13, 64], [3, 3, 64, 65]),
        ("depthwise_conv2d", SAME, [2, 9, 8, 37], [3, 3, 37, 1]),
    ];
    for (op, attributes, x, kernel) in cases {
        for rectifier in ["", "{}", r#"{"maxValue":0.5}"#] {
            let mut network = Network::default();
            let x = network.input(&x);
            let y = network.convolution(op, attributes, x, &kernel);
            let other = network.graph.ty(y).extents();
            let other = network.input(&other);
            let sum = network.apply("add", "{}", &[other, y]);
            if !rectifier.is_empty() {
                network.apply("relu", rectifier, &[sum]);
            }
            let plan = network.check();
            assert_eq!(plan.lines().count(), 2, "one step and the sizes: {plan}");
        }
    }
}

#[test]
fn of_two_convolutions_each_keeps_its_own_bias() {
    let mut network = Network::default();
    let x = network.input(&[2, 14, 15, 24]);
    let shortcut = network.convolution("conv2d", "{}", x, &[1, 1, 24, 48]);
    let y = network.convolution("conv2d", SAME, x, &[3, 3, 24, 48]);
    let sum = network.apply("add", "{}", &[shortcut, y]);
    network.apply("relu", "{}", &[sum]);
    let plan = network.check();
    let steps: Vec<&str> = plan.lines().map(|line| line.split('(').next().unwrap()).collect();
    assert!(steps.iter().any(|step| step.trim().ends_with("+ add")), "{plan}");
    assert!(steps.iter().any(|step| step.trim().ends_with("+ add + add + relu")), "{plan}");
}
