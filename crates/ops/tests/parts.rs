//! Batches that the executor computes in parts have the bits of their entries computed one by one.

use ferrograph_executor::{Program, ProgramError};
use ferrograph_graph::{Graph, Reference, TensorType, ValueId, Variable};
use ferrograph_kernels::pool;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};
use ferrograph_testkit::to_tensor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of threads belongs to the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Extents of an image. Two of them are more than a cache holds.
const IMAGE: [usize; 3] = [96, 80, 16];

/// Numbers between -1 and 1 that repeat after a while.
fn data(shape: &[usize]) -> Tensor {
    let elements = (0..shape.iter().product()).map(|at: usize| ((at * 7919) % 2003) as f64 / 1001.5 - 1.0).collect();
    to_tensor(&Reference::new(DType::Float32, shape, elements))
}

fn emit(graph: &mut Graph, name: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(name, attributes).unwrap(), operands).unwrap()[0]
}

/// A network of images and numbers: convolution, pooling, rectifier, mean, product and softmax.
fn network(kernel: &Arc<Variable>) -> (Graph, ValueId, [ValueId; 2]) {
    let mut graph = Graph::new();
    let image = TensorType::new(DType::Float32, [None].into_iter().chain(IMAGE.map(Some)));
    let (x, extra) = (graph.input(image), graph.input(TensorType::new(DType::Float32, [None, Some(4)])));
    let weights = [graph.variable(kernel), graph.constant(data(&[20, 6]))];
    let y = emit(&mut graph, "conv2d", r#"{"padding":"same"}"#, &[x, weights[0]]);
    let y = emit(&mut graph, "relu", "{}", &[y]);
    let pooled = emit(&mut graph, "max_pool2d", r#"{"poolSize":[2,2],"strides":[2,2]}"#, &[y]);
    let mean = emit(&mut graph, "mean", r#"{"axes":[1,2]}"#, &[pooled]);
    let both = emit(&mut graph, "concatenate", r#"{"axis":-1}"#, &[mean, extra]);
    let scores = emit(&mut graph, "matmul", "{}", &[both, weights[1]]);
    let y = emit(&mut graph, "softmax", "{}", &[scores]);
    (graph, x, [y, pooled])
}

fn kernel() -> Arc<Variable> {
    Arc::new(Variable::new("kernel", data(&[3, 3, 16, 16])))
}

fn images(entries: usize) -> Vec<Tensor> {
    vec![data(&[entries, IMAGE[0], IMAGE[1], IMAGE[2]]), data(&[entries, 4])]
}

fn entry(tensor: &Tensor, index: usize) -> Tensor {
    let len = tensor.view().len() / tensor.shape()[0];
    let shape: Vec<usize> = [1].into_iter().chain(tensor.shape()[1..].iter().copied()).collect();
    Tensor::new(tensor.dtype(), &shape, tensor.view().slice(index * len..(index + 1) * len)).unwrap()
}

fn describe(program: &Program, inputs: &[Tensor]) -> String {
    program.describe(&inputs.iter().map(|input| input.shape().to_vec()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn parts_are_the_entries() {
    let _alone = alone();
    let before = pool::threads();
    for threads in 1..=3 {
        pool::set_threads(threads);
        let (graph, _, outputs) = network(&kernel());
        let program = Program::new(&graph, &outputs, &[]).unwrap();
        assert_eq!(program.run(&images(0), None).unwrap()[0].shape(), [0, 6]);
        for entries in [2, 7, 8] {
            let inputs = images(entries);
            assert!(describe(&program, &inputs).contains(" parts of "), "{entries}");
            let together = program.run(&inputs, None).unwrap();
            for index in 0..entries {
                let one: Vec<Tensor> = inputs.iter().map(|input| entry(input, index)).collect();
                for (have, want) in together.iter().zip(program.run(&one, None).unwrap()) {
                    assert_eq!(entry(have, index).buffer().bytes(), want.buffer().bytes(), "{index} of {entries}");
                }
            }
        }
    }
    pool::set_threads(before);
}

#[test]
fn entries_that_meet_are_computed_together() {
    let (graph, x, [_, pooled]) = network(&kernel());
    let whole = |graph: &Graph, output: ValueId, entries| {
        let inputs = images(entries);
        let program = Program::new(graph, &[output], &[]).unwrap();
        !describe(&program, &inputs).contains(" parts of ")
    };
    assert!(!whole(&graph, pooled, 8));
    assert!(whole(&graph, pooled, 1));
    let after = |name, attributes| {
        let mut graph = graph.clone();
        let y = emit(&mut graph, name, attributes, &[pooled]);
        whole(&graph, y, 8)
    };
    assert!(after("mean", "{}"));
    assert!(after("reverse", r#"{"axes":[0]}"#));
    assert!(after("transpose", r#"{"axes":[1,0,2,3]}"#));
    assert!(after("reshape", r#"{"shape":[-1]}"#));
    assert!(!after("transpose", r#"{"axes":[0,2,1,3]}"#));
    // The number of entries is not an entry's own.
    let mut graph = graph.clone();
    let count = emit(&mut graph, "extent", r#"{"axis":0}"#, &[x]);
    let count = emit(&mut graph, "cast", r#"{"dtype":"float32"}"#, &[count]);
    let scaled = emit(&mut graph, "multiply", "{}", &[pooled, count]);
    assert!(whole(&graph, scaled, 8));
}

#[test]
fn all_parts_see_the_variables_of_one_time() {
    let kernel = Arc::new(Variable::new("kernel", data(&[3, 3, 16, 16])));
    let (graph, _, [_, pooled]) = network(&kernel);
    let program = Program::new(&graph, &[pooled], &[]).unwrap();
    // All entries are the same.
    let (image, extra) = (data(&[1, IMAGE[0], IMAGE[1], IMAGE[2]]), data(&[8, 4]));
    let repeated: Vec<f32> = (0..8).flat_map(|_| image.view().f32().to_vec()).collect();
    let images = Tensor::new(DType::Float32, &[8, IMAGE[0], IMAGE[1], IMAGE[2]], View::F32(&repeated)).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for step in (1..=100_u8).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let value = vec![f32::from(step); 9 * 16 * 16];
                kernel.assign(Tensor::new(DType::Float32, &[3, 3, 16, 16], View::F32(&value)).unwrap()).unwrap();
            }
        });
        for _ in 0..20 {
            let result = program.run(&[images.clone(), extra.clone()], None).unwrap();
            let first = entry(&result[0], 0);
            assert!((1..8).all(|index| entry(&result[0], index).buffer().bytes() == first.buffer().bytes()));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_part_that_fails_fails_the_run() {
    let mut graph = Graph::new();
    let (ids, wide) = (TensorType::new(DType::Int32, [None, Some(64)]), data(&[10, 4096]));
    let (ids, table) = (graph.input(ids), graph.constant(wide));
    let y = emit(&mut graph, "gather", r#"{"axis":0}"#, &[table, ids]);
    let program = Program::new(&graph, &[y], &[]).unwrap();
    let mut indices = vec![3; 8 * 64];
    let tensor = |indices: &[i32]| [Tensor::new(DType::Int32, &[8, 64], View::I32(indices)).unwrap()];
    assert!(describe(&program, &tensor(&indices)).contains(" parts of "));
    assert!(program.run(&tensor(&indices), None).is_ok());
    indices[6 * 64] = 10;
    let error = program.run(&tensor(&indices), None).unwrap_err().to_string();
    assert!(error.contains("10"), "{error}");
    let cancelled = program.run(&tensor(&[3; 8 * 64]), Some(&AtomicBool::new(true)));
    assert!(matches!(cancelled, Err(ProgramError::Cancelled)));
}
