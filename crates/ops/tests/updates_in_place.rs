//! Adam's moments and tables are changed where they lie: nothing may show of it but the time it takes.

use ferrograph_executor::{Program, ProgramError};
use ferrograph_graph::{Graph, TensorType, ValueId, Variable};
use ferrograph_kernels::pool::set_threads;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};
use ferrograph_testkit::toy::Refuse;
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn apply(graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
}

fn float(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::new(DType::Float32, shape, View::F32(values)).unwrap()
}

/// A weight with its moments.
struct Weight {
    w: Arc<Variable>,
    m: Arc<Variable>,
    v: Arc<Variable>,
}

impl Weight {
    fn new(shape: &[usize]) -> Self {
        let variable = |name, value| {
            let count = shape.iter().product();
            Arc::new(Variable::new(name, float(shape, &vec![value; count])))
        };
        Self { w: variable("w", 1.0), m: variable("m", 0.0), v: variable("v", 0.0) }
    }

    fn all(&self) -> [&Arc<Variable>; 3] {
        [&self.w, &self.m, &self.v]
    }

    /// One step along `gradient`, for `updates`.
    fn step(&self, graph: &mut Graph, gradient: ValueId, updates: &mut Vec<(Arc<Variable>, ValueId)>) {
        let [w, m, v] = self.all().map(|variable| graph.variable(variable));
        let m = apply(graph, "lerp", "{\"weight\":0.1}", &[m, gradient]);
        let square = apply(graph, "square", "{}", &[gradient]);
        let v = apply(graph, "lerp", "{\"weight\":0.001}", &[v, square]);
        let alpha = graph.scalar(0.01).unwrap();
        let w = apply(graph, "adam_step", "{\"epsilon\":1e-7}", &[w, m, v, alpha]);
        updates.extend(self.all().into_iter().cloned().zip([w, m, v]));
    }

    fn bits(&self) -> [Vec<u32>; 3] {
        self.all().map(|variable| variable.read().0.view().f32().iter().map(|x| x.to_bits()).collect())
    }

    fn versions(&self) -> [u64; 3] {
        self.all().map(|variable| variable.read().1)
    }

    fn addresses(&self) -> [usize; 3] {
        self.all().map(|variable| variable.read().0.buffer().bytes().as_ptr() as usize)
    }
}

/// A program that moves each weight along the input of its number.
fn program(weights: &[&Weight]) -> Program {
    let (mut graph, mut updates) = (Graph::new(), Vec::new());
    for weight in weights {
        let gradient = graph.input(TensorType::known(DType::Float32, weight.w.shape()));
        weight.step(&mut graph, gradient, &mut updates);
    }
    Program::new(&graph, &[], &updates).unwrap()
}

#[test]
fn moments_stay_where_they_lie() {
    let weight = Weight::new(&[1000]);
    let program = program(&[&weight]);
    let gradient = float(&[1000], &[0.5; 1000]);
    let before = weight.addresses();
    for step in 1..=4 {
        program.run(from_ref(&gradient), None).unwrap();
        let now = weight.addresses();
        assert_eq!(now[1..], before[1..]);
        assert_eq!(now[0] == before[0], step % 2 == 0, "two buffers of the weight take turns");
        assert_eq!(weight.versions(), [step; 3]);
    }
    assert!((weight.m.read().0.view().f32()[999] - 0.5 * (1.0 - 0.9f32.powi(4))).abs() < 1e-6);
}

#[test]
fn who_holds_a_moment_keeps_it() {
    let weight = Weight::new(&[1000]);
    let program = program(&[&weight]);
    let gradient = float(&[1000], &[0.5; 1000]);
    program.run(from_ref(&gradient), None).unwrap();
    let (held, _) = weight.m.read();
    let value = held.view().f32()[0];
    program.run(&[gradient], None).unwrap();
    assert!(held.view().f32().iter().all(|&m| m == value));
    assert!(weight.m.read().0.view().f32().iter().all(|&m| m > value));
}

#[test]
fn a_measured_run_changes_nothing() {
    let weight = Weight::new(&[1000]);
    let program = program(&[&weight]);
    let gradient = float(&[1000], &[0.5; 1000]);
    program.run(from_ref(&gradient), None).unwrap();
    let (bits, versions) = (weight.bits(), weight.versions());
    program.measure(&[gradient], 3).unwrap();
    assert_eq!((weight.bits(), weight.versions()), (bits, versions));
}

/// A weight that is moved along the first input, and then one along the second after a step that sets `flag` and refuses
/// negative elements.
fn two_updates(flag: &Arc<AtomicBool>) -> ([Weight; 2], Program) {
    let weights = [Weight::new(&[50]), Weight::new(&[50])];
    let (mut graph, mut updates) = (Graph::new(), Vec::new());
    let inputs = [(); 2].map(|()| graph.input(TensorType::known(DType::Float32, &[50])));
    weights[0].step(&mut graph, inputs[0], &mut updates);
    let checked = graph.apply(Refuse { flag: flag.clone() }, &[inputs[1]]).unwrap();
    weights[1].step(&mut graph, checked, &mut updates);
    let program = Program::new(&graph, &[], &updates).unwrap();
    let lines = program.describe(&[vec![50], vec![50]]).unwrap();
    let at = |text: &str| lines.lines().position(|line| line.contains(text)).unwrap();
    assert!(at("adam_step") < at("refuse"), "{lines}");
    (weights, program)
}

#[test]
fn what_will_be_refused_is_refused_before_anything_changes() {
    let (weights, program) = two_updates(&Arc::default());
    let good = float(&[50], &[0.5; 50]);
    program.run(&[good.clone(), good.clone()], None).unwrap();
    let before = weights.each_ref().map(|weight| (weight.bits(), weight.versions(), weight.addresses()));
    let error = program.run(&[good.clone(), float(&[50], &[-1.0; 50])], None).unwrap_err();
    assert_eq!(error.to_string(), "refuse: expected no negative element, received -1 at 0");
    assert_eq!(weights.each_ref().map(|weight| (weight.bits(), weight.versions(), weight.addresses())), before);
    program.run(&[good.clone(), good], None).unwrap();
    assert_eq!(weights.each_ref().map(Weight::versions), [[2; 3]; 2]);
}

#[test]
fn a_cancellation_comes_in_time_or_too_late() {
    let flag = Arc::new(AtomicBool::new(true));
    let (weights, program) = two_updates(&flag);
    let good = float(&[50], &[0.5; 50]);
    let cancelled = program.run(&[good.clone(), good.clone()], Some(&flag));
    assert!(matches!(cancelled, Err(ProgramError::Cancelled)));
    assert_eq!(weights.each_ref().map(Weight::versions), [[0; 3]; 2]);
    // Now the step between the two updates sets it.
    flag.store(false, Ordering::Relaxed);
    program.run(&[good.clone(), good], Some(&flag)).unwrap();
    assert!(flag.load(Ordering::Relaxed));
    assert_eq!(weights.each_ref().map(Weight::versions), [[1; 3]; 2]);
}

#[test]
fn what_is_refused_for_what_the_run_makes_moves_nothing_in_place() {
    // The refusing step reads what is only made after the first update.
    let weights = [Weight::new(&[50]), Weight::new(&[50])];
    let (mut graph, mut updates) = (Graph::new(), Vec::new());
    let inputs = [(); 2].map(|()| graph.input(TensorType::known(DType::Float32, &[50])));
    weights[0].step(&mut graph, inputs[0], &mut updates);
    let sum = apply(&mut graph, "add", "{}", &[updates[0].1, inputs[1]]);
    let checked = graph.apply(Refuse::default(), &[sum]).unwrap();
    weights[1].step(&mut graph, checked, &mut updates);
    let program = Program::new(&graph, &[], &updates).unwrap();
    let good = float(&[50], &[0.5; 50]);
    program.run(&[good.clone(), good.clone()], None).unwrap();
    let before = weights.each_ref().map(|weight| (weight.bits(), weight.versions()));
    program.run(&[good, float(&[50], &[-9.0; 50])], None).unwrap_err();
    assert_eq!(weights.each_ref().map(|weight| (weight.bits(), weight.versions())), before);
}

#[test]
fn readers_see_moments_and_weights_of_one_step() {
    // 400 KB, so that an update takes a while.
    const LEN: usize = 100_000;
    set_threads(2);
    let weight = Weight::new(&[LEN]);
    let program = program(&[&weight]);
    let mut graph = Graph::new();
    let outputs = weight.all().map(|variable| graph.variable(variable));
    let doubled = outputs.map(|value| apply(&mut graph, "add", "{}", &[value, value]));
    let reader = Program::new(&graph, &doubled, &[]).unwrap();
    let gradient = float(&[LEN], &vec![0.5; LEN]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..150 {
                program.run(from_ref(&gradient), None).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let (m, version) = weight.m.read();
                let m = m.view().f32();
                assert!(m.iter().all(|&x| x == m[0]), "half an update");
                assert_eq!(m[0] == 0.0, version == 0);
            }
        });
        let mut last = 0.0;
        while !done.load(Ordering::Relaxed) {
            let outputs = reader.run(&[], None).unwrap();
            let [w, m, v] = [0, 1, 2].map(|n| {
                let values = outputs[n].view().f32();
                assert!(values.iter().all(|&x| x == values[0]), "half an update");
                values[0]
            });
            // Each of the three says how many steps led to it.
            let steps = (1.0 - m / 1.0).ln() / 0.9f32.ln();
            let steps_of_v = (1.0 - v / 0.5).ln() / 0.999f32.ln();
            assert!((steps - steps_of_v).abs() < 0.6 || steps > 80.0, "{steps} and {steps_of_v}");
            assert!(w <= 2.0 && m >= last);
            last = m;
        }
    });
}

/// A program that moves a table along what is added at indices, and the same with the moments read by somebody else, too,
/// so that they are not changed where they lie.
fn table(weight: &Weight, count: usize, apart: bool) -> Program {
    let (mut graph, mut updates) = (Graph::new(), Vec::new());
    let width = weight.w.shape()[1];
    let x = graph.input(TensorType::known(DType::Float32, &[count, width]));
    let indices = graph.input(TensorType::known(DType::Int32, &[count]));
    let like = graph.variable(&weight.w);
    let gradient = apply(&mut graph, "scatter_add", "{\"axis\":0}", &[x, indices, like]);
    weight.step(&mut graph, gradient, &mut updates);
    let outputs = if apart { [&weight.m, &weight.v].map(|moment| graph.variable(moment)).to_vec() } else { Vec::new() };
    Program::new(&graph, &outputs, &updates).unwrap()
}

#[test]
fn a_table_stays_where_it_lies_unless_somebody_holds_it() {
    let weight = Weight::new(&[8000, 64]);
    let program = table(&weight, 60, false);
    let picks = Tensor::new(DType::Int32, &[60], View::I32(&[7; 60])).unwrap();
    let inputs = [float(&[60, 64], &[0.5; 60 * 64]), picks];
    let before = weight.addresses();
    program.run(&inputs, None).unwrap();
    assert_eq!(weight.addresses(), before);
    let (held, _) = weight.w.read();
    let bits = weight.bits();
    program.run(&inputs, None).unwrap();
    assert!(held.view().f32().iter().map(|x| x.to_bits()).eq(bits[0].iter().copied()));
    let apart = weight.addresses();
    assert!(apart[0] != before[0] && apart[1..] == before[1..]);
    drop(held);
    program.run(&inputs, None).unwrap();
    assert_eq!(weight.addresses(), apart);
    assert_eq!(weight.versions(), [3; 3]);
}

#[test]
fn what_reads_a_table_after_its_update_reads_the_former_rows() {
    let weight = Weight::new(&[8000, 64]);
    let (mut graph, mut updates) = (Graph::new(), Vec::new());
    let x = graph.input(TensorType::known(DType::Float32, &[60, 64]));
    let indices = graph.input(TensorType::known(DType::Int32, &[60]));
    let like = graph.variable(&weight.w);
    let gradient = apply(&mut graph, "scatter_add", "{\"axis\":0}", &[x, indices, like]);
    weight.step(&mut graph, gradient, &mut updates);
    let outputs = [like, apply(&mut graph, "gather", "{\"axis\":0}", &[like, indices])];
    let program = Program::new(&graph, &outputs, &updates).unwrap();
    let picks = Tensor::new(DType::Int32, &[60], View::I32(&[7; 60])).unwrap();
    let inputs = [float(&[60, 64], &[0.5; 60 * 64]), picks];
    for _ in 0..3 {
        let (before, _) = weight.w.read();
        let rows = program.run(&inputs, None).unwrap();
        assert_eq!(rows[0].view().f32(), before.view().f32());
        assert_eq!(rows[1].view().f32()[..64], before.view().f32()[7 * 64..8 * 64]);
        assert_ne!(weight.w.read().0.view().f32()[7 * 64], before.view().f32()[7 * 64]);
    }
}

#[test]
fn tables_move_as_if_all_their_rows_did() {
    const ROWS: usize = 8000;
    for width in [40, 64, 17] {
        for threads in [1, 3] {
            set_threads(threads);
            let weights = [false, true].map(|apart| (Weight::new(&[ROWS, width]), apart));
            let programs = weights.each_ref().map(|(weight, apart)| {
                let program = table(weight, 60, *apart);
                let plan = program.describe(&[vec![60, width], vec![60]]).unwrap();
                assert!(plan.contains("scatter_add +"), "{plan}");
                assert_eq!(plan.contains(" m, v, "), *apart, "{plan}");
                program
            });
            let mut held = Vec::new();
            for step in 0..12 {
                let picks: Vec<i32> = (0..60).map(|i| (i * i * (step % 5 + 1)) % ROWS as i32).collect();
                let picks = Tensor::new(DType::Int32, &[60], View::I32(&picks)).unwrap();
                let values: Vec<f32> = (0..60 * width).map(|i| ((i * 7919) % 2003) as f32 / 2003.0 - 0.4).collect();
                let inputs = [float(&[60, width], &values), picks];
                for ((weight, _), program) in weights.iter().zip(&programs) {
                    match step {
                        // Somebody holds the weights, so the next are made of a copy.
                        3 => held.push(weight.w.read().0),
                        // Somebody else changes each of them.
                        5..=7 => {
                            let variable = weight.all()[step as usize - 5];
                            let values: Vec<f32> = variable.read().0.view().f32().iter().rev().copied().collect();
                            variable.assign(float(&[ROWS, width], &values)).unwrap();
                        }
                        // Rows that the last step has moved get moments as if they never were.
                        10 => {
                            for moment in [&weight.m, &weight.v] {
                                moment.assign(Tensor::zeros(DType::Float32, &[ROWS, width]).unwrap()).unwrap();
                            }
                        }
                        8 => drop(program.measure(&inputs, 1).unwrap()),
                        9 => {
                            let bad = Tensor::new(DType::Int32, &[60], View::I32(&[-1; 60])).unwrap();
                            program.run(&[inputs[0].clone(), bad], None).unwrap_err();
                        }
                        _ => {}
                    }
                    program.run(&inputs, None).unwrap();
                }
                assert!(weights[0].0.bits() == weights[1].0.bits(), "width {width}, step {step}");
            }
        }
    }
}
