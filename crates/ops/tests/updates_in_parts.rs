//! A gradient that is used up part by part by the update of its weight gives the bits that it gives as a whole.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, ValueId, Variable};
use ferrograph_kernels::pool::set_threads;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};
use ferrograph_testkit::to_tensor;
use std::sync::Arc;

/// Numbers between -0.5 and 0.5 that repeat after a while.
fn data(shape: &[usize], seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let elements = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f64 / 2003.0 - 0.5).collect();
    to_tensor(&Reference::new(DType::Float32, shape, elements))
}

fn apply(graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
}

/// What happens to the gradient.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    /// Four functions that are one pass.
    Adam,
    /// A function more than the pass has.
    Decayed,
    /// One result.
    Descent,
}

/// One step of `rule` with the gradient `gradient` makes of the inputs, and the plan. The gradient is kept as a whole if it is
/// `wanted`.
fn step(
    rule: Rule,
    inputs: &[Tensor],
    shape: &[usize],
    gradient: impl Fn(&mut Graph, &[ValueId], ValueId) -> ValueId,
    wanted: bool,
) -> (Vec<Vec<u32>>, String) {
    let variable = |name: &str, seed| Arc::new(Variable::new(name, data(shape, seed)));
    let positive = |name: &str| {
        let squares: Vec<f32> = data(shape, 5).view().f32().iter().map(|x| x * x).collect();
        Arc::new(Variable::new(name, Tensor::new(DType::Float32, shape, View::F32(&squares)).unwrap()))
    };
    let variables = [variable("w", 3), variable("m", 4), positive("v")];
    let mut graph = Graph::new();
    let x: Vec<ValueId> =
        inputs.iter().map(|x| graph.input(ferrograph_graph::TensorType::known(x.dtype(), x.shape()))).collect();
    let [mut w, m, v] = variables.each_ref().map(|variable| graph.variable(variable));
    let g = gradient(&mut graph, &x, w);
    let alpha = graph.scalar(0.01).unwrap();
    let mut updates = Vec::new();
    if rule == Rule::Descent {
        let step = apply(&mut graph, "multiply", "{}", &[g, alpha]);
        updates.push((variables[0].clone(), apply(&mut graph, "subtract", "{}", &[w, step])));
    } else {
        if rule == Rule::Decayed {
            w = apply(&mut graph, "multiply", "{}", &[w, alpha]);
        }
        let m = apply(&mut graph, "lerp", "{\"weight\":0.1}", &[m, g]);
        let square = apply(&mut graph, "square", "{}", &[g]);
        let v = apply(&mut graph, "lerp", "{\"weight\":0.001}", &[v, square]);
        let w = apply(&mut graph, "adam_step", "{\"epsilon\":1e-7}", &[w, m, v, alpha]);
        updates.extend(variables.iter().cloned().zip([w, m, v]));
    }
    let outputs = if wanted { vec![g] } else { Vec::new() };
    let program = Program::new(&graph, &outputs, &updates).unwrap();
    for _ in 0..2 {
        program.run(inputs, None).unwrap();
    }
    let bits = variables.iter().map(|variable| variable.read().0.view().f32().iter().map(|x| x.to_bits()).collect());
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|x| x.shape().to_vec()).collect();
    (bits.collect(), program.describe(&shapes).unwrap())
}

fn check(
    op: &str,
    inputs: &[Tensor],
    shape: &[usize],
    gradient: impl Fn(&mut Graph, &[ValueId], ValueId) -> ValueId + Copy,
) {
    for rule in [Rule::Adam, Rule::Decayed, Rule::Descent] {
        set_threads(1);
        let (whole, plan) = step(rule, inputs, shape, gradient, true);
        assert!(!plan.contains(&format!("{op} +")), "{plan}");
        for threads in [1, 2, 3] {
            set_threads(threads);
            let (parts, plan) = step(rule, inputs, shape, gradient, false);
            assert!(plan.contains(&format!("{op} +")), "{plan}");
            assert_eq!(whole, parts, "{plan}");
        }
    }
}

#[test]
fn gradients_of_dense_weights() {
    for [rows, m, n] in [[5, 300, 500], [64, 1100, 130], [2, 140_000, 1]] {
        check("matmul", &[data(&[rows, m], 1), data(&[rows, n], 2)], &[m, n], |graph, x, _| {
            apply(graph, "matmul", "{\"transposeA\":true}", x)
        });
    }
}

#[test]
fn gradients_of_tables() {
    for [count, rows, width] in [[700, 4000, 40], [3, 20, 9000], [0, 200_000, 1], [9, 1, 140_000]] {
        let indices: Vec<i32> = (0..count as i32).map(|i| i * i % rows as i32).collect();
        let indices = Tensor::new(DType::Int32, &[count], View::I32(&indices)).unwrap();
        check("scatter_add", &[data(&[count, width], 1), indices], &[rows, width], |graph, x, like| {
            apply(graph, "scatter_add", "{\"axis\":0}", &[x[0], x[1], like])
        });
    }
}
