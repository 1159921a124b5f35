use super::*;
use crate::testing::{Random, at_thread_counts, bits};
use ferrograph_simd::Level;
use ferrograph_simd::with_level;

/// Everything an LSTM reads, in f64 so that differences can be taken.
#[derive(Clone)]
struct Problem {
    shape: RecurrentShape,
    x: Vec<f64>,
    kernel: Vec<f64>,
    recurrent: Vec<f64>,
    bias: Option<Vec<f64>>,
    h0: Option<Vec<f64>>,
    c0: Option<Vec<f64>>,
    mask: Option<Vec<u8>>,
    reverse: bool,
    /// Gradients of the sequence, the last hidden state and the last cell state.
    dy: Option<Vec<f64>>,
    dh: Option<Vec<f64>>,
    dc: Option<Vec<f64>>,
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|x| *x as f32).collect()
}

impl Problem {
    fn new(shape: RecurrentShape, options: usize, random: &mut Random) -> Self {
        let flag = |bit: usize| options >> bit & 1 == 1;
        let mut data = |len: usize| random.normal(len).iter().map(|x| f64::from(*x * 0.5)).collect::<Vec<f64>>();
        let RecurrentShape { batch, units, input, .. } = shape;
        let states = batch * units;
        let mut problem = Problem {
            shape,
            x: data(shape.rows() * input),
            kernel: data(input * 4 * units),
            recurrent: data(units * 4 * units),
            bias: flag(0).then(|| data(4 * units)),
            h0: flag(1).then(|| data(states)),
            c0: flag(1).then(|| data(states)),
            mask: None,
            reverse: flag(3),
            dy: (!flag(4)).then(|| data(shape.rows() * units)),
            dh: flag(5).then(|| data(states)),
            dc: flag(5).then(|| data(states)),
        };
        // Larger weights make the recurrence chaotic: rounding errors would grow from step to step.
        problem.recurrent.iter_mut().for_each(|r| *r /= (units as f64).sqrt());
        problem.mask = flag(2).then(|| (0..shape.rows()).map(|_| u8::from(random.below(3) > 0)).collect());
        problem
    }

    /// Outputs of the definition, in f64: sequence, last hidden state, last cell state.
    fn naive(&self) -> [Vec<f64>; 3] {
        let RecurrentShape { batch, steps, input, units } = self.shape;
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let mut h = self.h0.clone().unwrap_or_else(|| vec![0.0; batch * units]);
        let mut c = self.c0.clone().unwrap_or_else(|| vec![0.0; batch * units]);
        let mut y = vec![0.0; batch * steps * units];
        for step in 0..steps {
            let time = if self.reverse { steps - 1 - step } else { step };
            for b in 0..batch {
                let x = &self.x[(b * steps + time) * input..][..input];
                let before = h[b * units..][..units].to_vec();
                let gate = |g: usize, u: usize| {
                    let column = g * units + u;
                    let bias = self.bias.as_ref().map_or(0.0, |bias| bias[column]);
                    let sum = x.iter().enumerate().map(|(i, x)| x * self.kernel[i * 4 * units + column]).sum::<f64>();
                    let carry = before.iter().enumerate().map(|(i, h)| h * self.recurrent[i * 4 * units + column]);
                    sum + carry.sum::<f64>() + bias
                };
                if self.mask.as_ref().is_none_or(|mask| mask[b * steps + time] != 0) {
                    for u in 0..units {
                        let at = b * units + u;
                        c[at] = sigmoid(gate(1, u)) * c[at] + sigmoid(gate(0, u)) * gate(2, u).tanh();
                        h[at] = sigmoid(gate(3, u)) * c[at].tanh();
                    }
                }
                y[(b * steps + step) * units..][..units].copy_from_slice(&h[b * units..][..units]);
            }
        }
        [y, h, c]
    }

    /// The outputs weighted by their gradients: what the gradients of the inputs are gradients of.
    fn loss(&self) -> f64 {
        let outputs = self.naive();
        let weights = [&self.dy, &self.dh, &self.dc];
        let dot = |(weights, outputs): (&Option<Vec<f64>>, &Vec<f64>)| {
            weights.as_ref().map_or(0.0, |weights| weights.iter().zip(outputs).map(|(w, o)| w * o).sum::<f64>())
        };
        weights.into_iter().zip(&outputs).map(dot).sum()
    }

    /// Sequence, states, and the reserve if `training`.
    fn forward(&self, training: bool) -> [Vec<f32>; 4] {
        let shape = &self.shape;
        let states = shape.batch * shape.units;
        let mut packed_kernel = vec![f32::NAN; packed_kernel_len(shape)];
        pack_kernel(shape, &narrow(&self.kernel), &mut packed_kernel);
        let mut packed_recurrent = vec![f32::NAN; packed_recurrent_len(shape)];
        pack_recurrent(shape, &narrow(&self.recurrent), &mut packed_recurrent);
        let optional = |x: &Option<Vec<f64>>| x.as_deref().map(narrow);
        let (x, bias, h0, c0) = (narrow(&self.x), optional(&self.bias), optional(&self.h0), optional(&self.c0));
        let inputs = LstmForward {
            x: &x,
            packed_kernel: &packed_kernel,
            packed_recurrent: &packed_recurrent,
            bias: bias.as_deref(),
            h0: h0.as_deref(),
            c0: c0.as_deref(),
            mask: self.mask.as_deref(),
            reverse: self.reverse,
        };
        let mut y = vec![f32::NAN; shape.rows() * shape.units];
        let (mut h, mut c) = (vec![f32::NAN; states], vec![f32::NAN; states]);
        let mut reserve = vec![f32::NAN; if training { reserve_len(shape) } else { 0 }];
        let mut scratch = vec![f32::NAN; forward_scratch_len(shape)];
        let outputs = Outputs { y: Some(&mut y), h: &mut h, c: &mut c, reserve: training.then_some(&mut reserve[..]) };
        forward(shape, &inputs, outputs, &mut scratch);
        [y, h, c, reserve]
    }

    /// Gradients of x, kernel, recurrent, bias, h0 and c0.
    fn backward(&self, reserve: &[f32]) -> [Vec<f32>; 6] {
        let shape = &self.shape;
        let nan = |len: usize| vec![f32::NAN; len];
        let states = shape.batch * shape.units;
        let mut r = [
            nan(self.x.len()),
            nan(self.kernel.len()),
            nan(self.recurrent.len()),
            nan(4 * shape.units),
            nan(states),
            nan(states),
        ];
        let optional = |x: &Option<Vec<f64>>| x.as_deref().map(narrow);
        let (dy, dh, dc) = (optional(&self.dy), optional(&self.dh), optional(&self.dc));
        let inputs = LstmBackward {
            x: &narrow(&self.x),
            kernel: &narrow(&self.kernel),
            recurrent: &narrow(&self.recurrent),
            mask: self.mask.as_deref(),
            reverse: self.reverse,
            reserve,
            dy: dy.as_deref(),
            dh: dh.as_deref(),
            dc: dc.as_deref(),
        };
        let [dx, dkernel, drecurrent, dbias, dh0, dc0] = &mut r;
        let (dh0, dc0) = (Some(&mut dh0[..]), Some(&mut dc0[..]));
        let gradients = Gradients { dx: Some(dx), dkernel, drecurrent, dbias: Some(dbias), dh0, dc0 };
        backward(shape, &inputs, gradients, &mut nan(backward_scratch_len(shape)));

        // What is not wanted changes nothing else.
        let mut weights = [nan(self.kernel.len()), nan(self.recurrent.len())];
        let [dkernel, drecurrent] = &mut weights;
        let gradients = Gradients { dx: None, dkernel, drecurrent, dbias: None, dh0: None, dc0: None };
        backward(shape, &inputs, gradients, &mut nan(backward_scratch_len(shape)));
        assert_eq!(weights, r[1..3]);
        r
    }
}

fn close(name: &str, result: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(result.len(), expected.len());
    for (i, (r, e)) in result.iter().zip(expected).enumerate() {
        assert!((f64::from(*r) - e).abs() <= tolerance * (1.0 + e.abs()), "{name}[{i}]: {r}, expected {e}");
    }
}

const SHAPES: [(usize, usize, usize, usize); 10] = [
    (1, 1, 1, 1),
    (2, 3, 4, 5),
    (1, 40, 3, 17),
    (17, 4, 5, 3),
    (19, 3, 2, 16),
    (5, 6, 1, 33),
    // The recurrent product is no part of the cell.
    (17, 2, 3, 270),
    (3, 5, 0, 4),
    (2, 0, 3, 4),
    (0, 3, 2, 2),
];

fn shape((batch, steps, input, units): (usize, usize, usize, usize)) -> RecurrentShape {
    RecurrentShape { batch, steps, input, units }
}

#[test]
fn forward_follows_the_definition() {
    let mut random = Random::new(21);
    for extents in SHAPES {
        for options in 0..16 {
            let problem = Problem::new(shape(extents), options, &mut random);
            let expected = problem.naive();
            for level in Level::available() {
                for training in [false, true] {
                    let result = with_level(level, || problem.forward(training));
                    for (result, expected) in result.iter().zip(&expected) {
                        close(&format!("{} {extents:?} {options}", level.name()), result, expected, 2e-6);
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_are_differences() {
    let mut random = Random::new(22);
    for extents in [(1, 1, 1, 1), (2, 3, 2, 5), (1, 4, 3, 2), (17, 2, 2, 2), (3, 3, 0, 2)] {
        for options in (0..64).step_by(if extents.0 > 3 { 5 } else { 1 }) {
            let problem = Problem::new(shape(extents), options, &mut random);
            let difference = |part: fn(&mut Problem) -> Option<&mut Vec<f64>>| -> Vec<f64> {
                let len = part(&mut problem.clone()).map_or(0, |data| data.len());
                let at = |i: usize, step: f64| {
                    let mut moved = problem.clone();
                    if let Some(data) = part(&mut moved) {
                        data[i] += step;
                    }
                    moved.loss()
                };
                (0..len).map(|i| (at(i, 1e-4) - at(i, -1e-4)) / 2e-4).collect()
            };
            let expected = [
                difference(|p| Some(&mut p.x)),
                difference(|p| Some(&mut p.kernel)),
                difference(|p| Some(&mut p.recurrent)),
                difference(|p| p.bias.as_mut()),
                difference(|p| p.h0.as_mut()),
                difference(|p| p.c0.as_mut()),
            ];
            for level in Level::available() {
                let result = with_level(level, || problem.backward(&problem.forward(true)[3]));
                for (part, (result, expected)) in result.iter().zip(&expected).enumerate() {
                    if !expected.is_empty() {
                        close(&format!("{} {extents:?} {options} part {part}", level.name()), result, expected, 5e-6);
                    }
                }
            }
        }
    }
}

#[test]
fn threads_and_neighbours_do_not_matter() {
    let mut random = Random::new(23);
    for extents in [(19, 5, 6, 20), (19, 3, 6, 270), (3, 40, 5, 70), (2, 3, 300, 1100)] {
        let problem = Problem::new(shape(extents), 0b10_0111, &mut random);
        let RecurrentShape { batch, units, .. } = problem.shape;
        for level in Level::available() {
            with_level(level, || {
                let together = at_thread_counts(|| problem.forward(false).concat());
                let reserve = problem.forward(true)[3].clone();
                at_thread_counts(|| problem.backward(&reserve).concat());
                for b in [0, batch - 1] {
                    let own =
                        |data: &Option<Vec<f64>>| data.as_ref().map(|data| data[b * units..(b + 1) * units].to_vec());
                    let row = |data: &[f64]| data[b * data.len() / batch..(b + 1) * data.len() / batch].to_vec();
                    let mut alone = problem.clone();
                    alone.shape.batch = 1;
                    (alone.x, alone.h0, alone.c0) = (row(&problem.x), own(&problem.h0), own(&problem.c0));
                    let steps = problem.shape.steps;
                    alone.mask = problem.mask.as_ref().map(|mask| mask[b * steps..(b + 1) * steps].to_vec());
                    let [y, ..] = alone.forward(false);
                    assert_eq!(bits(&y), bits(&together[b * steps * units..][..steps * units]));
                }
            });
        }
    }
}

#[test]
fn long_sequences_are_taken_in_parts() {
    let mut random = Random::new(24);
    // More rows than fit into one part of the projection or of the backward pass.
    for extents in [(1, 1300, 2, 3), (20, 120, 3, 40)] {
        for options in [0b0111, 0b1000] {
            let problem = Problem::new(shape(extents), options, &mut random);
            let expected = problem.naive();
            let inference = problem.forward(false);
            let training = problem.forward(true);
            for part in 0..3 {
                close("forward", &inference[part], &expected[part], 1e-5);
                assert_eq!(bits(&inference[part]), bits(&training[part]));
            }
            // The gradient along one random direction is the difference along it.
            let gradients = problem.backward(&training[3]);
            let direction: Vec<f64> = random.normal(problem.recurrent.len()).iter().map(|x| f64::from(*x)).collect();
            let at = |step: f64| {
                let mut moved = problem.clone();
                moved.recurrent.iter_mut().zip(&direction).for_each(|(r, d)| *r += step * d);
                moved.loss()
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            let product: f64 = gradients[2].iter().zip(&direction).map(|(g, d)| f64::from(*g) * d).sum();
            assert!((difference - product).abs() < 1e-3 * (1.0 + difference.abs()), "{difference} {product}");
        }
    }
}
