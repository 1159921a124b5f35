use super::*;
use crate::testing::{Random, at_thread_counts, bits};
use ferrograph_simd::Level;
use ferrograph_simd::with_level;

/// Everything a unit reads, in f64 so that differences can be taken.
#[derive(Clone)]
struct Problem {
    shape: GruShape,
    /// x, kernel, recurrent, bias and h0.
    operands: [Vec<f64>; 5],
    mask: Option<Vec<u8>>,
    reverse: bool,
    /// Gradients of the sequence and of the last state.
    given: [Vec<f64>; 2],
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|x| *x as f32).collect()
}

impl Problem {
    fn new([batch, steps, input, units]: [usize; 4], options: usize, random: &mut Random) -> Self {
        let flag = |bit: usize| options >> bit & 1 == 1;
        let shape = GruShape { extents: RecurrentShape { batch, steps, input, units }, reset_after: flag(0) };
        let mut data = |len: usize| random.normal(len).iter().map(|x| f64::from(*x * 0.5)).collect::<Vec<f64>>();
        let (rows, states) = (batch * steps, batch * units);
        let lengths = [rows * input, input * 3 * units, units * 3 * units, shape.bias_len(), states];
        let mut operands = lengths.map(&mut data);
        let given = [rows * units, states].map(data);
        // Larger weights make the recurrence chaotic: rounding errors would grow from step to step.
        operands[2].iter_mut().for_each(|r| *r /= (units as f64).sqrt());
        let mask = flag(1).then(|| (0..rows).map(|_| u8::from(random.below(3) > 0)).collect());
        Problem { shape, operands, mask, reverse: flag(2), given }
    }

    /// The sequence and the last state by the definition, in f64.
    fn naive(&self) -> [Vec<f64>; 2] {
        let RecurrentShape { batch, steps, input, units } = self.shape.extents;
        let reset_after = self.shape.reset_after;
        let [x, kernel, recurrent, bias, h0] = &self.operands;
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut h, mut y) = (h0.clone(), vec![0.0; batch * steps * units]);
        for step in 0..steps {
            let time = if self.reverse { steps - 1 - step } else { step };
            for b in 0..batch {
                let x = &x[(b * steps + time) * input..][..input];
                let before = h[b * units..][..units].to_vec();
                let from_x = |column: usize| {
                    let sum: f64 = x.iter().enumerate().map(|(i, x)| x * kernel[i * 3 * units + column]).sum();
                    sum + bias[column]
                };
                let from_h = |state: &[f64], column: usize| {
                    let sum: f64 = state.iter().enumerate().map(|(i, h)| h * recurrent[i * 3 * units + column]).sum();
                    sum + if reset_after { bias[3 * units + column] } else { 0.0 }
                };
                if self.mask.as_ref().is_none_or(|mask| mask[b * steps + time] != 0) {
                    let gate = |g: usize, u: usize| sigmoid(from_x(g * units + u) + from_h(&before, g * units + u));
                    let reset: Vec<f64> = (0..units).map(|u| gate(1, u) * before[u]).collect();
                    for u in 0..units {
                        let column = 2 * units + u;
                        let carried =
                            if reset_after { gate(1, u) * from_h(&before, column) } else { from_h(&reset, column) };
                        let z = gate(0, u);
                        h[b * units + u] = z * before[u] + (1.0 - z) * (from_x(column) + carried).tanh();
                    }
                }
                y[(b * steps + step) * units..][..units].copy_from_slice(&h[b * units..][..units]);
            }
        }
        [y, h]
    }

    /// The outputs weighted by their gradients: what the gradients of the inputs are gradients of.
    fn loss(&self) -> f64 {
        let outputs = self.naive();
        self.given.iter().zip(&outputs).flat_map(|(given, output)| given.iter().zip(output)).map(|(w, o)| w * o).sum()
    }

    /// Sequence, last state, and the reserve if `training`.
    fn forward(&self, training: bool) -> [Vec<f32>; 3] {
        let shape = &self.shape;
        let nan = |len: usize| vec![f32::NAN; len];
        let [x, kernel, recurrent, bias, h0] = self.operands.each_ref().map(|data| narrow(data));
        let (mut packed_kernel, mut packed_recurrent) =
            (nan(packed_kernel_len(shape)), nan(packed_recurrent_len(shape)));
        pack_kernel(shape, &kernel, &mut packed_kernel);
        pack_recurrent(shape, &recurrent, &mut packed_recurrent);
        let inputs = GruForward {
            x: &x,
            packed_kernel: &packed_kernel,
            packed_recurrent: &packed_recurrent,
            bias: &bias,
            h0: Some(&h0),
            mask: self.mask.as_deref(),
            reverse: self.reverse,
        };
        let RecurrentShape { units, .. } = shape.extents;
        let reserve_len = if training { reserve_len(shape) } else { 0 };
        let mut results = [shape.extents.rows() * units, shape.extents.state_len(), reserve_len].map(nan);
        let [y, h, reserve] = &mut results;
        let outputs = Outputs { y: Some(y), h, reserve: training.then_some(reserve) };
        forward(shape, &inputs, outputs, &mut nan(forward_scratch_len(shape)));
        results
    }

    /// Gradients of x, kernel, recurrent, bias and h0.
    fn backward(&self, reserve: &[f32]) -> [Vec<f32>; 5] {
        let shape = &self.shape;
        let mut results = self.operands.each_ref().map(|data| vec![f32::NAN; data.len()]);
        let inputs = GruBackward {
            x: &narrow(&self.operands[0]),
            kernel: &narrow(&self.operands[1]),
            recurrent: &narrow(&self.operands[2]),
            mask: self.mask.as_deref(),
            reverse: self.reverse,
            reserve,
            dy: Some(&narrow(&self.given[0])),
            dh: &narrow(&self.given[1]),
        };
        let [dx, dkernel, drecurrent, dbias, dh0] = &mut results;
        let gradients = Gradients { dx: Some(dx), dkernel, drecurrent, dbias, dh0: Some(dh0) };
        backward(shape, &inputs, gradients, &mut vec![f32::NAN; backward_scratch_len(shape)]);

        // What is not wanted changes nothing else.
        let mut weights = [1, 2, 3].map(|i| vec![f32::NAN; self.operands[i].len()]);
        let [dkernel, drecurrent, dbias] = &mut weights;
        let gradients = Gradients { dx: None, dkernel, drecurrent, dbias, dh0: None };
        backward(shape, &inputs, gradients, &mut vec![f32::NAN; backward_scratch_len(shape)]);
        assert_eq!(weights, results[1..4]);
        results
    }
}

fn close(name: &str, result: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(result.len(), expected.len());
    for (i, (r, e)) in result.iter().zip(expected).enumerate() {
        assert!((f64::from(*r) - e).abs() <= tolerance * (1.0 + e.abs()), "{name}[{i}]: {r}, expected {e}");
    }
}

#[test]
fn forward_follows_the_definition() {
    let mut random = Random::new(31);
    let shapes = [
        [1, 1, 1, 1],
        [2, 3, 4, 5],
        [1, 40, 3, 17],
        [17, 4, 5, 3],
        [19, 3, 2, 16],
        [5, 6, 1, 33],
        [3, 5, 0, 4],
        [2, 0, 3, 4],
        [0, 3, 2, 2],
        [2, 2, 3, 0],
    ];
    for extents in shapes {
        for options in 0..8 {
            let problem = Problem::new(extents, options, &mut random);
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
    let mut random = Random::new(32);
    for extents in [[1, 1, 1, 1], [2, 3, 2, 5], [1, 4, 3, 2], [17, 2, 2, 2], [3, 3, 0, 2]] {
        for options in 0..8 {
            let problem = Problem::new(extents, options, &mut random);
            let expected: Vec<Vec<f64>> = (0..5)
                .map(|operand| {
                    let at = |i: usize, step: f64| {
                        let mut moved = problem.clone();
                        moved.operands[operand][i] += step;
                        moved.loss()
                    };
                    (0..problem.operands[operand].len()).map(|i| (at(i, 1e-4) - at(i, -1e-4)) / 2e-4).collect()
                })
                .collect();
            for level in Level::available() {
                let result = with_level(level, || problem.backward(&problem.forward(true)[2]));
                for (part, (result, expected)) in result.iter().zip(&expected).enumerate() {
                    close(&format!("{} {extents:?} {options} part {part}", level.name()), result, expected, 5e-6);
                }
            }
        }
    }
}

#[test]
fn threads_and_neighbours_do_not_matter() {
    let mut random = Random::new(33);
    for extents in [[19, 5, 6, 20], [3, 40, 5, 70], [2, 3, 300, 700]] {
        for options in [0b010, 0b011] {
            let problem = Problem::new(extents, options, &mut random);
            let RecurrentShape { batch, steps, units, .. } = problem.shape.extents;
            for level in Level::available() {
                with_level(level, || {
                    let together = at_thread_counts(|| problem.forward(false).concat());
                    let reserve = problem.forward(true)[2].clone();
                    at_thread_counts(|| problem.backward(&reserve).concat());
                    for b in [0, batch - 1] {
                        let row = |data: &[f64]| data[b * data.len() / batch..(b + 1) * data.len() / batch].to_vec();
                        let mut alone = problem.clone();
                        alone.shape.extents.batch = 1;
                        alone.operands[0] = row(&problem.operands[0]);
                        alone.operands[4] = row(&problem.operands[4]);
                        alone.mask = problem.mask.as_ref().map(|mask| mask[b * steps..(b + 1) * steps].to_vec());
                        let [y, ..] = alone.forward(false);
                        assert_eq!(bits(&y), bits(&together[b * steps * units..][..steps * units]));
                    }
                });
            }
        }
    }
}

#[test]
fn long_sequences_are_taken_in_parts() {
    let mut random = Random::new(34);
    // More rows than fit into one part of the projection or of the backward pass.
    for extents in [[1, 1300, 2, 3], [20, 120, 3, 40]] {
        for options in [0, 1, 0b110, 0b111] {
            let problem = Problem::new(extents, options, &mut random);
            let [y, h, reserve] = problem.forward(true);
            let inference = problem.forward(false);
            assert!(bits(&y) == bits(&inference[0]) && bits(&h) == bits(&inference[1]));
            close("forward", &y, &problem.naive()[0], 1e-5);
            // The gradient along one random direction is the difference along it.
            let gradients = problem.backward(&reserve);
            for (operand, gradient) in gradients.iter().enumerate() {
                let len = problem.operands[operand].len();
                let direction: Vec<f64> = random.normal(len).iter().map(|x| f64::from(*x)).collect();
                let at = |step: f64| {
                    let mut moved = problem.clone();
                    moved.operands[operand].iter_mut().zip(&direction).for_each(|(r, d)| *r += step * d);
                    moved.loss()
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                let product: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * d).sum();
                let error = (difference - product).abs();
                assert!(error < 1e-3 * (1.0 + difference.abs()), "{operand}: {difference} {product}");
            }
        }
    }
}
