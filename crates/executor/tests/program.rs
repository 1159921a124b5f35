//! Compiling, checking inputs, keeping plans.

mod common;

use common::{check, compare, data, float, map, variable};
use ferrograph_executor::{Program, ProgramError, RunInput};
use ferrograph_graph::{Graph, GraphError, TensorType};
use ferrograph_tensor::{DType, ShapeError, Shared, Tensor, View};
use ferrograph_testkit::toy::{Expand, Function, MatMul, Refuse};

fn rows(extent: usize) -> TensorType {
    TensorType::new(DType::Float32, [None, Some(extent)])
}

#[test]
fn names_the_input_that_does_not_fit() {
    let mut graph = Graph::new();
    let (x, y) = (graph.input(rows(3)), graph.input(float(&[])));
    let product = map(&mut graph, Function::Multiply, &[x, y]);
    let program = Program::new(&graph, &[product], &[]).unwrap();
    let zeros = |dtype, shape: &[usize]| Tensor::zeros(dtype, shape).unwrap();
    let error = |inputs: &[Tensor]| program.run(inputs, None).unwrap_err().to_string();
    assert_eq!(error(&[]), "expected 2 inputs, received 0");
    let scalar = zeros(DType::Float32, &[]);
    let received = [zeros(DType::Float32, &[2, 4]), scalar.clone()];
    assert_eq!(error(&received), "input 0: expected float32[null, 3], received float32[2, 4]");
    let received = [zeros(DType::Float32, &[3]), scalar.clone()];
    assert_eq!(error(&received), "input 0: expected float32[null, 3], received float32[3]");
    let received = [zeros(DType::Float32, &[2, 3]), zeros(DType::Int32, &[])];
    assert_eq!(error(&received), "input 1: expected float32[], received int32[]");
    assert!(program.run(&[zeros(DType::Float32, &[2, 3]), scalar], None).is_ok());
}

#[test]
fn equal_nodes_are_one_and_unused_ones_are_none() {
    let mut graph = Graph::new();
    let x = graph.input(float(&[8, 8]));
    let unused = graph.apply(Refuse::default(), &[x]).unwrap();
    map(&mut graph, Function::Negative, &[unused]);
    let (a, b) = (graph.apply(MatMul::default(), &[x, x]).unwrap(), graph.apply(MatMul::default(), &[x, x]).unwrap());
    let sum = map(&mut graph, Function::Add, &[a, b]);
    let program = check(&graph, &[data(&[8, 8], 1)], &[sum]);
    let text = program.describe(&[vec![8, 8]]).unwrap();
    assert_eq!(text.matches("matmul").count(), 1, "{text}");
    assert!(!text.contains("refuse"), "{text}");
}

#[test]
fn what_is_known_is_computed_once() {
    let mut graph = Graph::new();
    let x = graph.input(rows(2));
    let (one, two) = (graph.scalar(1.0).unwrap(), graph.scalar(2.0).unwrap());
    let three = map(&mut graph, Function::Add, &[one, two]);
    // Only the shape of the variable is used, and that is known.
    let w = variable("w", &[2], &[0.0; 2]);
    let w = graph.variable(&w);
    let threes = graph.apply(Expand {}, &[three, w]).unwrap();
    let sum = map(&mut graph, Function::Add, &[x, threes]);
    let program = check(&graph, &[data(&[4, 2], 1)], &[sum]);
    let text = program.describe(&[vec![4, 2]]).unwrap();
    assert!(text.starts_with("loop of add("), "{text}");
}

#[test]
fn an_op_that_fails_on_constants_fails_when_it_runs() {
    let mut graph = Graph::new();
    let minus = graph.scalar(-1.0).unwrap();
    let refused = graph.apply(Refuse::default(), &[minus]).unwrap();
    let program = Program::new(&graph, &[refused], &[]).unwrap();
    let error = program.run(&[], None).unwrap_err();
    assert!(matches!(error, ProgramError::Graph(GraphError::Run { op: "refuse", .. })));
}

#[test]
fn many_shapes_of_one_program() {
    let mut graph = Graph::new();
    let (x, w) = (graph.input(rows(3)), graph.input(float(&[3, 2])));
    let y = graph.apply(MatMul::default(), &[x, w]).unwrap();
    let y = map(&mut graph, Function::Negative, &[y]);
    let program = Program::new(&graph, &[y], &[]).unwrap();
    // More shapes than plans are kept, twice over, and back to the first.
    for n in (0..12).chain(0..12).chain([0, 0]) {
        compare(&program, &graph, &[data(&[n, 3], n as u64), data(&[3, 2], 9)], &[y]);
    }
}

#[test]
fn a_long_graph_is_no_deep_recursion() {
    let mut graph = Graph::new();
    let x = graph.input(float(&[2]));
    let mut y = x;
    for n in 0..20_000 {
        y = map(&mut graph, if n % 2 == 0 { Function::Negative } else { Function::Root }, &[y]);
        if n % 2 == 0 {
            y = map(&mut graph, Function::Negative, &[y]);
        }
    }
    // 1 is the fixed point of the root.
    let one = Tensor::new(DType::Float32, &[2], ferrograph_tensor::View::F32(&[1.0; 2])).unwrap();
    let program = Program::new(&graph, &[y], &[]).unwrap();
    assert_eq!(program.run(&[one], None).unwrap()[0].view().f32(), [1.0; 2]);
}

#[test]
fn shapes_that_no_memory_holds_are_errors() {
    let mut graph = Graph::new();
    let (x, y) = (graph.input(TensorType::new(DType::Float32, [None, Some(1)])), graph.input(float(&[1 << 40])));
    let product = map(&mut graph, Function::Multiply, &[x, y]);
    let program = Program::new(&graph, &[product], &[]).unwrap();
    let error = program.describe(&[vec![1 << 40, 1], vec![1 << 40]]).unwrap_err();
    assert!(matches!(error, ProgramError::Graph(GraphError::Shape(ShapeError::Overflow(_)))), "{error}");
}

/// Elements that stay a caller's.
struct Lent<'a> {
    shape: &'a [usize],
    elements: &'a [f32],
}

impl RunInput for Lent<'_> {
    fn dtype(&self) -> DType {
        DType::Float32
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn memory(&self) -> Shared<'_> {
        Shared::Borrowed(View::F32(self.elements))
    }
}

#[test]
fn reads_borrowed_elements_and_returns_none_of_them() {
    let mut graph = Graph::new();
    let x = graph.input(rows(3));
    let doubled = map(&mut graph, Function::Add, &[x, x]);
    let program = Program::new(&graph, &[doubled, x], &[]).unwrap();
    let memory: Vec<f32> = (0..7).map(|i| i as f32).collect();
    // Not aligned to anything but their type.
    for start in 0..2 {
        let lent = Lent { shape: &[2, 3], elements: &memory[start..start + 6] };
        let [sum, same] = <[Tensor; 2]>::try_from(program.run_on(&[lent], None).unwrap()).unwrap();
        let expected: Vec<f32> = (start..start + 6).map(|i| 2.0 * i as f32).collect();
        assert_eq!(sum.view().f32(), expected);
        assert_eq!(same.view().f32(), &memory[start..start + 6]);
        assert_ne!(same.view().f32().as_ptr(), memory[start..].as_ptr());
    }
    let error = program.run_on(&[Lent { shape: &[3], elements: &memory[..3] }], None).unwrap_err();
    assert_eq!(error.to_string(), "input 0: expected float32[null, 3], received float32[3]");
}
