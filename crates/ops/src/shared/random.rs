//! Random ops: a `like` for shapes and a state `i[2]`, the seed and a counter that goes up with each draw.

use super::dims::shape_like;
use super::{operands, step};
use ferrograph_graph::{Op, Operand, Plan, Reference, Sample, TensorType};
use ferrograph_kernels::random::{STREAM, State};
use ferrograph_tensor::DType;

/// The shape rule.
pub(crate) fn infer(operands: &[TensorType], dims: &[Option<i64>]) -> Result<Vec<TensorType>, String> {
    let [like, state] = operands::exactly(operands)?;
    check_state(state)?;
    Ok(vec![TensorType::new(DType::Float32, shape_like(dims, &like.shape)?)])
}

/// That an operand is a state.
pub(crate) fn check_state(state: &TensorType) -> Result<(), String> {
    operands::dtype("a state", state, &[DType::Int32])?;
    if matches!(state.shape.as_slice(), [Some(2) | None]) {
        Ok(())
    } else {
        Err("a state of shape [2] (seed, counter)".to_owned())
    }
}

/// A step that fills the result from the state.
pub(crate) fn plan(fill: impl Fn(State, &mut [f32]) + Send + Sync + 'static) -> Plan {
    step(move |mut c| {
        fill(state(c.inputs.i32(1)), c.outputs.f32(0));
        Ok(())
    })
}

/// The state that two integers stand for.
pub(crate) fn state(words: &[i32]) -> State {
    State { seed: words[0] as u32, counter: words[1] as u32 }
}

/// A stream of random words, made one at a time in wide integers: what the kernels are held against.
pub(crate) struct Stream {
    seed: u128,
    counter: u128,
}

impl Stream {
    /// The stream that begins at a state.
    pub(crate) fn new(state: &Reference) -> Self {
        let word = |value: f64| value as i64 as u128 % (1 << 32);
        Self { seed: word(state.data[0]), counter: word(state.data[1]) }
    }

    /// Word `i` of the given attempt.
    pub(crate) fn word(&self, i: usize, attempt: u128) -> u32 {
        let block = (i / 4) as u128;
        let modulus = 1u128 << 32;
        let mut key = [self.seed, u128::from(STREAM)];
        let mut c = [block % modulus, block / modulus, self.counter, attempt];
        for _ in 0..10 {
            let (p, q) = (c[0] * 0xd251_1f53, c[2] * 0xcd9e_8d57);
            c = [(q / modulus) ^ c[1] ^ key[0], q % modulus, (p / modulus) ^ c[3] ^ key[1], p % modulus];
            key = [(key[0] + 0x9e37_79b9) % modulus, (key[1] + 0xbb67_ae85) % modulus];
        }
        c[i % 4] as u32
    }

    /// Element `i`, uniform in `[0, 1)` in steps of 2^-24.
    pub(crate) fn unit(&self, i: usize) -> f64 {
        f64::from(self.word(i, 0) >> 8) / 16_777_216.0
    }

    /// Element `i`, standard normal: Box and Muller's cosine at even places, sine at odd ones.
    pub(crate) fn normal(&self, i: usize, attempt: u128) -> f64 {
        let first = i / 2 * 2;
        let steps = |i| f64::from(self.word(i, attempt) >> 8);
        let radius = (steps(first) + 1.0) / 16_777_216.0;
        let angle = steps(first + 1) / 16_777_216.0 * std::f64::consts::TAU;
        (-2.0 * radius.ln()).sqrt() * if i.is_multiple_of(2) { angle.cos() } else { angle.sin() }
    }
}

/// `f` of the stream for every element.
pub(crate) fn reference(
    operands: &[Reference],
    results: &[TensorType],
    f: impl Fn(&Stream, usize) -> f64,
) -> Vec<Reference> {
    let stream = Stream::new(&operands[1]);
    let shape = results[0].extents();
    let n: usize = shape.iter().product();
    vec![Reference::new(results[0].dtype, &shape, (0..n).map(|i| f(&stream, i)).collect())]
}

/// Samples of an op that is made of a shape.
pub(crate) fn samples<T: Op + 'static>(op: impl Fn(Vec<Option<i64>>) -> T) -> Vec<Sample> {
    let shapes =
        [(vec![None, Some(5)], vec![3]), (vec![None], vec![70]), (vec![], vec![2]), (vec![None, Some(2)], vec![0])];
    shapes
        .map(|(shape, like)| {
            let state = Operand::values(DType::Int32, &[2], [-5.0, 12.0]);
            Sample::new(op(shape), [Operand::normal(&like), state]).not_differentiable()
        })
        .into()
}
