//! Results of recurrent ops that nobody reads are not computed, which changes no bit of the others.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, TensorType};
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor};
use ferrograph_testkit::to_tensor;

/// Numbers between -1 and 1 that repeat after a while.
fn data(shape: &[usize]) -> Tensor {
    let elements = (0..shape.iter().product()).map(|at: usize| ((at * 7919) % 2003) as f64 / 1001.5 - 1.0).collect();
    to_tensor(&Reference::new(DType::Float32, shape, elements))
}

#[test]
fn only_the_last_state_is_wanted() {
    only_one_is_wanted("lstm", "{}", &[&[3, 5, 2], &[2, 28], &[7, 28], &[28], &[3, 7], &[3, 7]], 1, &[0, 3]);
    only_one_is_wanted("gru", "{}", &[&[3, 5, 2], &[2, 21], &[7, 21], &[21], &[3, 7]], 1, &[0, 2]);
    let after = r#"{"resetAfter":true}"#;
    only_one_is_wanted("gru", after, &[&[3, 5, 2], &[2, 21], &[7, 21], &[2, 21], &[3, 7]], 1, &[0, 2]);
}

#[test]
fn only_gradients_of_weights_are_wanted() {
    let forward: [&[usize]; 6] = [&[3, 5, 2], &[2, 28], &[7, 28], &[28], &[3, 7], &[3, 7]];
    // Its sequence, last cell state and reserve, and the gradients of what it makes.
    let rest: [&[usize]; 6] = [&[3, 5, 7], &[3, 7], &[3, 224], &[3, 5, 7], &[3, 7], &[3, 7]];
    for wanted in [1, 2, 3] {
        only_one_is_wanted("lstm_gradient", "{}", &[&forward[..], &rest].concat(), wanted, &[0, 4, 5]);
    }
    for (attributes, bias) in [("{}", &[21][..]), (r#"{"resetAfter":true}"#, &[2, 21])] {
        let shapes: [&[usize]; 8] = [&[3, 5, 2], &[2, 21], &[7, 21], bias, &[3, 7], &[3, 182], &[3, 5, 7], &[3, 7]];
        for wanted in [1, 2, 3] {
            only_one_is_wanted("gru_gradient", attributes, &shapes, wanted, &[0, 4]);
        }
    }
}

/// Runs an op for result `wanted` alone, which leaves out the results `left_out`.
fn only_one_is_wanted(name: &str, attributes: &str, shapes: &[&[usize]], wanted: usize, left_out: &[usize]) {
    let mut graph = Graph::new();
    let inputs: Vec<_> = shapes.iter().map(|shape| graph.input(TensorType::known(DType::Float32, shape))).collect();
    let results = graph.emit(create_op(name, attributes).unwrap(), &inputs).unwrap();
    let given: Vec<Tensor> = shapes.iter().map(|shape| data(shape)).collect();
    let all = Program::new(&graph, &results, &[]).unwrap().run(&given, None).unwrap();
    let program = Program::new(&graph, &[results[wanted]], &[]).unwrap();
    let alone = program.run(&given, None).unwrap();
    assert_eq!(alone[0].view().f32(), all[wanted].view().f32(), "{name} {attributes}");

    let shapes: Vec<Vec<usize>> = shapes.iter().map(|shape| shape.to_vec()).collect();
    let text = program.describe(&shapes).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let places: Vec<&str> = line.split(" -> ").nth(1).unwrap().split("], ").collect();
    for (result, place) in places.iter().enumerate() {
        assert_eq!(place.starts_with('-'), left_out.contains(&result), "{result}: {line}");
    }
}
