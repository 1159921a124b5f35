//! The f64 reference interpreter.

use ferrograph_graph::{Graph, Origin, Reference, TensorType, ValueId};
use ferrograph_tensor::{Tensor, View};

/// The values `wanted` of `graph` in f64, computed node by node through [`ferrograph_graph::Op::reference`].
///
/// # Panics
/// When an op refuses its operands or its reference gives another type than its shape rule.
pub fn evaluate(graph: &Graph, inputs: &[Reference], wanted: &[ValueId]) -> Vec<Reference> {
    let mut values: Vec<Option<Reference>> = (0..graph.value_count())
        .map(|index| match graph.origin(graph.value(index).unwrap()) {
            Origin::Input(n) => Some(inputs[*n].clone()),
            Origin::Variable(variable) => Some(from_tensor(&variable.read().0)),
            Origin::Constant(tensor) => Some(from_tensor(tensor)),
            Origin::Node { .. } => None,
        })
        .collect();
    for node in graph.nodes() {
        let operands: Vec<Reference> = node.operands.iter().map(|id| values[id.index()].clone().unwrap()).collect();
        let types: Vec<TensorType> = operands.iter().map(type_of).collect();
        let expected = node.op.infer(&types).unwrap_or_else(|e| panic!("{}: expected {e}: {types:?}", node.op.name()));
        let results = node.op.reference(&operands, &expected);
        let received: Vec<TensorType> = results.iter().map(type_of).collect();
        assert_eq!(expected, received, "{}: shape rule against reference", node.op.name());
        for (id, result) in node.results.iter().zip(results) {
            values[id.index()] = Some(result);
        }
    }
    wanted.iter().map(|id| values[id.index()].clone().unwrap()).collect()
}

/// The type of a reference value.
pub fn type_of(value: &Reference) -> TensorType {
    TensorType::known(value.dtype, &value.shape)
}

/// A tensor's elements in f64.
pub fn from_tensor(tensor: &Tensor) -> Reference {
    let data = match tensor.view() {
        View::F32(x) => x.iter().map(|&x| f64::from(x)).collect(),
        View::I32(x) => x.iter().map(|&x| f64::from(x)).collect(),
        View::U8(x) => x.iter().map(|&x| f64::from(x)).collect(),
    };
    Reference::new(tensor.dtype(), tensor.shape(), data)
}

/// A tensor of a reference's elements, each rounded to its type.
///
/// # Panics
/// When memory is short.
pub fn to_tensor(value: &Reference) -> Tensor {
    use ferrograph_tensor::DType;
    let (dtype, shape, data) = (value.dtype, &value.shape, &value.data);
    let tensor = match dtype {
        DType::Float32 => Tensor::new(dtype, shape, View::F32(&data.iter().map(|&x| x as f32).collect::<Vec<_>>())),
        DType::Int32 => Tensor::new(dtype, shape, View::I32(&data.iter().map(|&x| x as i32).collect::<Vec<_>>())),
        DType::Bool | DType::Uint8 => {
            Tensor::new(dtype, shape, View::U8(&data.iter().map(|&x| x as u8).collect::<Vec<_>>()))
        }
    };
    tensor.unwrap()
}
