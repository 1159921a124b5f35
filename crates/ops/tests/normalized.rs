//! What follows a batch normalization changes no bit by being done while its rows are in the cache, also where others read
//! the statistics.

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

fn apply(graph: &mut Graph, op: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, "{}").unwrap(), operands).unwrap()[0]
}

/// What follows the normalization.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Chain {
    Rectifier,
    /// A sum with a value that is there before.
    Residual,
    /// A sum with what is made of the mean, so that the normalization has to come before it.
    Mean,
    /// As the rectifier, and another op reads the normalized values.
    Twice,
}

/// The chain on `x` of this shape with the channels at `axis`: the results of a program, of which the first is the chain's
/// and the next the statistics, and its plan. With `all`, the values between are wanted too, and nothing is joined.
fn run(shape: &[usize], axis: usize, chain: Chain, all: bool) -> (Vec<Tensor>, String) {
    let mut graph = Graph::new();
    let channels = [shape[axis]];
    let inputs = [data(shape, 1), data(&channels, 2), data(&channels, 3), data(shape, 4)];
    let [x, gamma, beta, other] =
        inputs.each_ref().map(|input| graph.input(TensorType::known(DType::Float32, input.shape())));
    let op = create_op("batch_norm_training", &format!(r#"{{"axis":{axis},"epsilon":0.001}}"#)).unwrap();
    let results = graph.emit(op, &[x, gamma, beta]).unwrap();
    let (y, mean, variance) = (results[0], results[1], results[2]);
    let moved = apply(&mut graph, "add", &[mean, variance]);
    let (mut wanted, mut between) = (vec![moved, mean, variance], vec![y]);
    let last = match chain {
        Chain::Rectifier => apply(&mut graph, "relu", &[y]),
        Chain::Residual | Chain::Mean => {
            let other = if chain == Chain::Mean { apply(&mut graph, "multiply", &[other, moved]) } else { other };
            let sum = apply(&mut graph, "add", &[y, other]);
            between.extend([other, sum]);
            apply(&mut graph, "relu", &[sum])
        }
        Chain::Twice => {
            wanted.push(apply(&mut graph, "max", &[y]));
            apply(&mut graph, "relu", &[y])
        }
    };
    wanted.insert(0, last);
    if all {
        wanted.extend(between);
    }
    let program = Program::new(&graph, &wanted, &[]).unwrap();
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|input| input.shape().to_vec()).collect();
    (program.run(&inputs, None).unwrap(), program.describe(&shapes).unwrap())
}

#[test]
fn chains_behind_a_normalization() {
    // Channels last and not, fewer and more than lanes, ragged ends; several chunks, and several pieces of a chunk.
    let shapes: [(&[usize], usize); 5] =
        [(&[4, 5, 6, 7], 3), (&[3, 50, 40, 33], 3), (&[9000, 5], 1), (&[2, 5, 6, 7], 1), (&[3, 2, 150, 140], 1)];
    for (shape, axis) in shapes {
        for chain in [Chain::Rectifier, Chain::Residual, Chain::Mean, Chain::Twice] {
            if chain == Chain::Mean && axis + 1 < shape.len() {
                // The mean lies along the last axis.
                continue;
            }
            let (expected, apart) = run(shape, axis, chain, true);
            assert!(!apart.contains("batch_norm_training +"), "{apart}");
            for threads in 1..4 {
                pool::set_threads(threads);
                let (received, plan) = run(shape, axis, chain, false);
                for (received, expected) in received.iter().zip(&expected) {
                    assert!(received.buffer().bytes() == expected.buffer().bytes(), "{shape:?} {chain:?}: {plan}");
                }
                let is_joined = plan.contains("batch_norm_training +");
                assert_eq!(is_joined, matches!(chain, Chain::Rectifier | Chain::Residual), "{chain:?}: {plan}");
            }
        }
    }
}
