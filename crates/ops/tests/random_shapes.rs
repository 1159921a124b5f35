//! Kernels over random shapes and all tails: every extent from 1 to four of the widest vectors and three. Each shape runs
//! against the f64 reference, between guard pages and on one to four threads, on every instruction set
//! ([`check_kernel`]). Where arithmetic on small whole numbers is exact in float32 so are the results.

#[path = "common/levels.rs"]
mod levels;

use ferrograph_executor::Program;
use ferrograph_graph::{Fill, Graph, Operand, Reference, Sample, TensorType};
use ferrograph_ops::create_op;
use ferrograph_tensor::DType;
use ferrograph_testkit::{Random, check_kernel, from_tensor, to_tensor};

/// Four vectors of 16 floats and three.
const LARGEST: usize = 4 * 16 + 3;

/// A float32 operand of small whole numbers, whose products and sums are exact.
fn whole(shape: &[usize]) -> Operand {
    Operand { dtype: DType::Float32, shape: shape.to_vec(), fill: Fill::Integers(-4, 4) }
}

struct Shapes(Random);

impl Shapes {
    fn new(family: &str) -> Self {
        Self(Random::new(family))
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.0.bits() % bound as u64) as usize
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Mostly small, now and then up to [`LARGEST`].
    fn extent(&mut self) -> usize {
        let bound = self.pick(&[6, 18, LARGEST]);
        1 + self.below(bound)
    }

    /// Lists of extents in which each place takes every value from 1 to [`LARGEST`] once.
    fn tails<const N: usize>(&mut self) -> Vec<[usize; N]> {
        let places = (0..N).flat_map(|place| (1..=LARGEST).map(move |extent| (place, extent)));
        let places: Vec<_> = places.collect();
        places
            .into_iter()
            .map(|(place, extent)| {
                let mut extents = [0; N].map(|_| self.extent());
                extents[place] = extent;
                extents
            })
            .collect()
    }
}

/// The op with its operands' types inferred.
fn results(name: &str, attributes: &str, operands: &[Operand]) -> Option<Vec<TensorType>> {
    let types: Vec<TensorType> = operands.iter().map(|o| TensorType::known(o.dtype, &o.shape)).collect();
    create_op(name, attributes).unwrap().infer(&types).ok()
}

/// Holds the op against its reference and against [`levels`].
fn check(name: &str, attributes: &str, operands: impl IntoIterator<Item = Operand>, tolerance: f64) {
    let op = create_op(name, attributes).unwrap();
    let operands: Vec<Operand> = operands.into_iter().collect();
    let sample = Sample { op, operands, tolerance, differentiable: false, opaque: Vec::new() };
    let failures = check_kernel(name, &sample);
    assert!(failures.is_empty(), "{} failures, the first: {}", failures.len(), failures[0]);
    levels::check(name, &sample);
}

#[test]
fn products_of_matrices_are_exact() {
    let mut shapes = Shapes::new("matmul");
    for [m, k, n] in shapes.tails() {
        let [swap_a, swap_b] = [shapes.pick(&[false, true]), shapes.pick(&[false, true])];
        let batch: Vec<usize> = shapes.pick(&[vec![], vec![], vec![3]]);
        let of = |rows: usize, columns: usize, swap: bool| {
            let matrix = if swap { [columns, rows] } else { [rows, columns] };
            whole(&[batch.as_slice(), &matrix].concat())
        };
        let attributes = format!(r#"{{"transposeA":{swap_a},"transposeB":{swap_b}}}"#);
        check("matmul", &attributes, [of(m, k, swap_a), of(k, n, swap_b)], 0.0);
    }
}

/// Attributes of a convolution without groups.
fn window(shapes: &mut Shapes) -> String {
    let padding = shapes.pick(&[r#""valid""#, r#""same""#, "[[1,0],[0,2]]"]);
    let [down, right] = [shapes.pick(&[1, 1, 2, 3]), shapes.pick(&[1, 1, 2, 3])];
    let [tall, wide] =
        if [down, right] == [1, 1] { [shapes.pick(&[1, 1, 2]), shapes.pick(&[1, 1, 3])] } else { [1, 1] };
    format!(r#""padding":{padding},"strides":[{down},{right}],"dilation":[{tall},{wide}]"#)
}

/// A convolution and both of its gradients.
fn check_convolution(prefix: &str, attributes: &str, x: &[usize; 4], kernel: &[usize; 4], tolerance: Option<f64>) {
    let of = |shape: &[usize]| if tolerance.is_some() { Operand::normal(shape) } else { whole(shape) };
    let (x, kernel) = (of(x), of(kernel));
    let Some(y) = results(prefix, attributes, &[x.clone(), kernel.clone()]) else { return };
    let y = of(&y[0].extents());
    let tolerance = tolerance.unwrap_or(0.0);
    check(prefix, attributes, [x.clone(), kernel.clone()], tolerance);
    check(&format!("{prefix}_input_gradient"), attributes, [y.clone(), kernel.clone(), x.clone()], tolerance);
    check(&format!("{prefix}_kernel_gradient"), attributes, [x, y, kernel], tolerance);
}

#[test]
fn convolutions_are_exact() {
    let mut shapes = Shapes::new("conv2d");
    for [channels, filters] in shapes.tails() {
        let groups = if channels.max(filters) < 20 { shapes.pick(&[1, 2, 3]) } else { 1 };
        let kernel = [1 + shapes.below(3), 1 + shapes.below(4), channels, filters * groups];
        let x = [1 + shapes.below(2), 1 + shapes.below(7), 1 + shapes.below(9), channels * groups];
        let attributes = format!(r#"{{{},"groups":{groups},"strict":true}}"#, window(&mut shapes));
        check_convolution("conv2d", &attributes, &x, &kernel, None);
    }
}

#[test]
fn convolutions_of_three_by_three_are_exact_where_they_are_strict() {
    let mut shapes = Shapes::new("conv2d 3 x 3");
    for extent in 30..=LARGEST {
        let [channels, filters] = shapes.pick(&[[extent, 32], [32, extent], [extent, extent]]);
        let x = [1, 4 + shapes.below(8), 5 + shapes.below(9), channels];
        check_convolution("conv2d", r#"{"padding":"same","strict":true}"#, &x, &[3, 3, channels, filters], None);
    }
}

/// Winograd's kernel transform divides by 81, so whole numbers do not stay exact: relative to the root mean square of sums
/// of `count` products the error is below 4.5e-6 for 64 channels, and twice that leaves no room for luck.
#[test]
fn convolutions_by_winograds_method_are_close() {
    let mut shapes = Shapes::new("winograd");
    for extent in 32..=LARGEST {
        let [channels, filters] = shapes.pick(&[[extent, 32], [32, extent]]);
        let batch = shapes.pick(&[1, 1, 1, 20]);
        let x = [batch, 5 + shapes.below(8), 6 + shapes.below(8), channels];
        let count = 9 * channels.max(filters).max(batch * x[1] * x[2] / 9);
        let tolerance = 9e-6 * (count as f64).sqrt() * 2f64.powi(24);
        check_convolution("conv2d", r#"{"padding":"same"}"#, &x, &[3, 3, channels, filters], Some(tolerance));
    }
}

#[test]
fn depthwise_convolutions_are_exact() {
    let mut shapes = Shapes::new("depthwise");
    for [channels, width] in shapes.tails() {
        let kernel = [1 + shapes.below(5), 1 + shapes.below(5), channels, shapes.pick(&[1, 1, 1, 2])];
        let x = [1 + shapes.below(2), 1 + shapes.below(8), width.min(20), channels];
        let attributes = format!("{{{}}}", window(&mut shapes));
        check_convolution("depthwise_conv2d", &attributes, &x, &kernel, None);
    }
}

#[test]
fn pooling_is_exact() {
    let mut shapes = Shapes::new("pooling");
    for [channels, width] in shapes.tails() {
        let size = [1 + shapes.below(4), 1 + shapes.below(4)];
        let strides = [1 + shapes.below(3), 1 + shapes.below(3)];
        let padding = shapes.pick(&["valid", "same"]);
        let attributes = format!(r#"{{"poolSize":{size:?},"strides":{strides:?},"padding":"{padding}"}}"#);
        let shape = [1 + shapes.below(2), 1 + shapes.below(8), width.min(20), channels];
        let x = whole(&shape);
        let Some(y) = results("max_pool2d", &attributes, std::slice::from_ref(&x)) else { continue };
        let y = y[0].extents();
        check("max_pool2d", &attributes, [Operand::distinct(&shape)], 0.0);
        // The sum is exact, the quotient is rounded; a gradient sums up to 16 quotients of up to 4.
        check("average_pool2d", &attributes, [x.clone()], 1.0);
        check("average_pool2d_gradient", &attributes, [whole(&y), x], 8.0);
        let x = as_values(&Operand::distinct(&shape));
        let maximum = run("max_pool2d", &attributes, std::slice::from_ref(&x)).remove(0);
        check("max_pool2d_gradient", &attributes, [x.clone(), maximum.clone(), whole(&y)], 0.0);
        check("max_pool2d_gather", &attributes, [x, maximum, whole(&shape)], 0.0);
    }
}

/// An operand with its elements fixed, so that several ops may be given the same.
fn as_values(operand: &Operand) -> Operand {
    let filled = ferrograph_testkit::fill(operand, "values");
    Operand::values(operand.dtype, &operand.shape, filled.data)
}

/// The op's results as operands of another op.
fn run(name: &str, attributes: &str, operands: &[Operand]) -> Vec<Operand> {
    let mut graph = Graph::new();
    let values: Vec<Reference> = operands.iter().map(|operand| ferrograph_testkit::fill(operand, "values")).collect();
    let types = operands.iter().map(|o| TensorType::known(o.dtype, &o.shape));
    let ids: Vec<_> = types.map(|ty| graph.input(ty)).collect();
    let results = graph.emit(create_op(name, attributes).unwrap(), &ids).unwrap();
    let inputs: Vec<_> = values.iter().map(to_tensor).collect();
    let results = Program::new(&graph, &results, &[]).unwrap().run(&inputs, None).unwrap();
    let operand = |result: Reference| Operand::values(result.dtype, &result.shape, result.data);
    results.iter().map(|result| operand(from_tensor(result))).collect()
}

#[test]
fn reductions_are_exact() {
    let mut shapes = Shapes::new("reduce");
    for shape in shapes.tails::<3>() {
        let axes = shapes.pick(&["[0]", "[1]", "[2]", "[0,1]", "[0,2]", "[1,2]", "null"]);
        let attributes = format!(r#"{{"axes":{axes}}}"#);
        check("sum", &attributes, [whole(&shape)], 0.0);
        check("max", &attributes, [Operand::normal(&shape)], 0.0);
        check("min", &attributes, [Operand::normal(&shape)], 0.0);
        check("mean", &attributes, [whole(&shape)], 1.0);
        let axis = shapes.below(3);
        check("argmax", &format!(r#"{{"axis":{axis}}}"#), [whole(&shape)], 0.0);
        check("cumsum", &format!(r#"{{"axis":{axis}}}"#), [whole(&shape)], 0.0);
    }
}

#[test]
fn softmax_and_normalization_are_close() {
    let mut shapes = Shapes::new("softmax");
    for shape in shapes.tails::<2>() {
        let axis = shapes.below(2);
        let attributes = format!(r#"{{"axis":{axis}}}"#);
        // Four of float32's epsilons.
        check("softmax", &attributes, [Operand::normal(&shape)], 8.0);
        check("log_softmax", &attributes, [Operand::normal(&shape)], 8.0);
        let channels = [shape[axis]];
        let rows = shape[1 - axis];
        let (normal, positive) = (Operand::normal(&channels), Operand::uniform(&channels, 0.5, 2.0));
        let attributes = format!(r#"{{"axis":{axis},"epsilon":0.001}}"#);
        let x = Operand::normal(&shape);
        // Few rows may be close together: their rounding is divided by a deviation as small as the root of epsilon, 1 / 32.
        let stretched = 50.0 + 1.5 * rows as f64;
        check("batch_norm_training", &attributes, [x.clone(), normal.clone(), normal.clone()], stretched);
        let fixed = [x.clone(), normal.clone(), normal.clone(), normal.clone(), positive.clone()];
        check("batch_norm_inference", &attributes, fixed, 8.0);
        check(
            "batch_norm_training_gradient",
            &attributes,
            [x.clone(), normal.clone(), normal, positive, x],
            4.0 * stretched,
        );
    }
}

#[test]
fn element_wise_functions_are_close_at_every_length() {
    for length in 1..=LARGEST {
        let [any, positive] = [Operand::normal(&[length]), Operand::uniform(&[length], 0.05, 20.0)];
        // Four of float32's epsilons.
        for name in ["exp", "tanh", "sigmoid", "erf", "sin", "cos"] {
            check(name, "{}", [any.clone()], 8.0);
        }
        for name in ["gelu", "elu", "softplus", "expm1"] {
            check(name, "{}", [any.clone()], 8.0);
        }
        for name in ["log", "log1p"] {
            check(name, "{}", [positive.clone()], 8.0);
        }
        for name in ["sqrt", "rsqrt"] {
            check(name, "{}", [positive.clone()], 4.0);
        }
        for name in ["relu", "abs", "negative", "floor", "square", "sign"] {
            check(name, "{}", [whole(&[length])], 0.0);
        }
        for name in ["add", "subtract", "multiply", "maximum", "minimum", "equal", "less"] {
            check(name, "{}", [whole(&[3, length]), whole(&[length])], 0.0);
        }
    }
}

#[test]
fn recurrent_layers_are_close() {
    let mut shapes = Shapes::new("recurrent");
    for [input, units] in shapes.tails() {
        let (batch, steps) = (1 + shapes.below(9), 1 + shapes.below(4));
        let [reverse, masked] = [shapes.pick(&[false, true]), shapes.pick(&[false, true])];
        // As initializers draw them: sums of products keep the size of one.
        let weights = |shape: &[usize], rows: usize| {
            let bound = (rows as f64).sqrt().recip();
            as_values(&Operand::uniform(shape, -bound, bound))
        };
        let [sequence, state] = [vec![batch, steps, units], vec![batch, units]];
        let operands = |gates: usize, bias: &[usize]| {
            let mut operands = vec![
                as_values(&Operand::normal(&[batch, steps, input])),
                weights(&[input, gates * units], input),
                weights(&[units, gates * units], units),
                weights(bias, units),
                weights(&state, 1),
            ];
            if gates == 4 {
                operands.push(weights(&state, 1));
            }
            if masked {
                operands.push(as_values(&Operand::booleans(&[batch, steps])));
            }
            operands
        };
        // Every gate of every step sums so many products, and a gradient sums over steps and rows.
        let forward = 8.0 + 0.25 * (input + units) as f64;
        let backward = forward * (batch * steps).max(4) as f64;
        let [dy, ds] = [Operand::normal(&sequence), Operand::normal(&state)];

        let attributes = format!(r#"{{"reverse":{reverse},"masked":{masked}}}"#);
        let mut lstm = operands(4, &[4 * units]);
        check("lstm", &attributes, lstm.clone(), forward);
        let reserve = run("lstm", &attributes, &lstm).remove(3);
        lstm.extend([dy.clone(), ds.clone(), reserve, dy.clone(), ds.clone(), ds.clone()]);
        check("lstm_gradient", &attributes, lstm, backward);

        let after = shapes.pick(&[false, true]);
        let attributes = format!(r#"{{"reverse":{reverse},"masked":{masked},"resetAfter":{after}}}"#);
        let mut gru = if after { operands(3, &[2, 3 * units]) } else { operands(3, &[3 * units]) };
        check("gru", &attributes, gru.clone(), forward);
        let reserve = run("gru", &attributes, &gru).pop().unwrap();
        gru.extend([reserve, dy, ds]);
        check("gru_gradient", &attributes, gru, backward);
    }
}

#[test]
fn copies_are_exact() {
    let mut shapes = Shapes::new("copy");
    for shape in shapes.tails::<3>() {
        let x = Operand::normal(&shape);
        let order = shapes.pick(&["[0,2,1]", "[1,0,2]", "[2,1,0]", "[1,2,0]"]);
        check("transpose", &format!(r#"{{"axes":{order}}}"#), [x.clone()], 0.0);
        let axis = shapes.below(3);
        let mut other = shape;
        other[axis] = shapes.extent();
        check("concatenate", &format!(r#"{{"axis":{axis}}}"#), [x.clone(), Operand::normal(&other)], 0.0);
        check("reverse", &format!(r#"{{"axes":[{axis}]}}"#), [x.clone()], 0.0);
        check("pad", r#"{"padding":[[1,0],[0,2],[3,1]]}"#, [x.clone()], 0.0);
        let begin = shape.map(|extent| shapes.below(extent));
        let strides = [1, 2, 3].map(|_| shapes.pick(&[1, 1, 2]));
        check("slice", &format!(r#"{{"begin":{begin:?},"strides":{strides:?}}}"#), [x.clone()], 0.0);
        let rows = Operand::integers(&[shapes.extent()], 0, shape[axis] as i32 - 1);
        check("gather", &format!(r#"{{"axis":{axis}}}"#), [x.clone(), rows.clone()], 0.0);
        let mut gathered = shape;
        gathered[axis] = rows.shape[0];
        check("scatter_add", &format!(r#"{{"axis":{axis}}}"#), [whole(&gathered), rows, x.clone()], 0.0);
        let broadcast = format!(r#"{{"shape":[2,{},{},{}]}}"#, shape[0], shape[1], shape[2]);
        check("broadcast_to", &broadcast, [x], 0.0);
    }
}

#[test]
fn random_numbers_are_the_reference_generators_at_every_length() {
    for length in 1..=LARGEST {
        let operands = || [Operand::normal(&[length]), Operand::values(DType::Int32, &[2], [length as f64, 3.0])];
        check("random_uniform", r#"{"shape":[null]}"#, operands(), 4.0);
        check("random_bernoulli", r#"{"shape":[null],"probability":0.4}"#, operands(), 0.0);
        check("random_normal", r#"{"shape":[null]}"#, operands(), 16.0);
        check("random_truncated_normal", r#"{"shape":[null]}"#, operands(), 16.0);
    }
}
