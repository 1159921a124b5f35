//! x with a border of one number. `[*S] -> [*S + before + after]`
//!
//! Derivative: `dx` is `dy` without the border.

use crate::Registered;
use crate::shared::{attributes, copying, operands, step, to_json, unary};
use crate::slice::Slice;
use ferrograph_graph::{Extent, Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::copy::Strided;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A border.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pad {
    /// How many elements to put before and after, for each axis.
    pub padding: Vec<[usize; 2]>,
    /// The number; infinities and NaN are written as the words `"Infinity"`, `"-Infinity"` and `"NaN"`.
    #[serde(default, with = "attributes::number")]
    pub value: f64,
}

impl Op for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        if self.padding.len() != x.rank() {
            return Err(format!("a rank of {} for the padding {:?}", self.padding.len(), self.padding));
        }
        let padded = |(extent, [before, after]): (&Extent, &[usize; 2])| match extent {
            None => Ok(None),
            Some(n) => n
                .checked_add(*before)
                .and_then(|n| n.checked_add(*after))
                .map(Some)
                .ok_or_else(|| "padding that fits in memory".to_owned()),
        };
        let shape: Vec<Extent> = x.shape.iter().zip(&self.padding).map(padded).collect::<Result<_, _>>()?;
        Ok(vec![TensorType::new(x.dtype, shape)])
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        if self.padding.iter().all(|p| *p == [0, 0]) {
            return Ok(Plan::Alias);
        }
        let (x, strides) = (operands[0].extents(), copying::signed_strides(&results[0].extents())?);
        let offset = if x.contains(&0) {
            0
        } else {
            self.padding.iter().zip(&strides).map(|([before, _], stride)| before * *stride as usize).sum()
        };
        let view = Strided::new(offset, &x, &strides);
        let (value, boolean) = (self.value, operands[0].dtype == DType::Bool);
        Ok(step(move |mut c| {
            copying::fill(c.outputs.view(0), value, boolean);
            copying::scatter(c.inputs.view(0), &view, c.outputs.view(0));
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], _: &[TensorType]) -> bool {
        self.padding[0] == [0, 0]
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let begin = self.padding.iter().map(|[before, _]| i64::try_from(*before).ok()).collect();
        let end =
            self.padding.iter().map(|[_, after]| i64::try_from(*after).ok().filter(|n| *n > 0).map(|n| -n)).collect();
        unary::vjp(gradients, |dy| graph.apply(Slice { begin, end, strides: Vec::new() }, &[dy]))
    }

    fn border(&self) -> Option<&[[usize; 2]]> {
        (self.value == 0.0).then_some(&self.padding)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        vec![Reference::from_fn(x.dtype, &results[0].extents(), |index| {
            let own = index.iter().zip(&self.padding).map(|(i, [before, _])| i.checked_sub(*before));
            match own.collect::<Option<Vec<usize>>>() {
                Some(own) if own.iter().zip(&x.shape).all(|(i, n)| i < n) => x.at(&own),
                _ => self.value,
            }
        })]
    }
}

impl Registered for Pad {
    fn samples() -> Vec<Sample> {
        let samples: [(&[[usize; 2]], &[usize]); 5] = [
            (&[[1, 2]], &[3]),
            (&[[0, 0], [1, 1], [2, 0]], &[2, 3, 2]),
            (&[[0, 0]], &[2]),
            (&[[1, 0], [0, 1]], &[1, 2]),
            (&[[1, 1], [0, 0]], &[0, 2]),
        ];
        let pad = |(padding, x): (&[[usize; 2]], &[usize])| {
            let op = Self { padding: padding.to_vec(), value: -1.5 };
            Sample::new(op, [Operand::normal(x)])
        };
        let mut samples: Vec<Sample> = samples.map(pad).into();
        let op = Self { padding: vec![[1, 1]], value: 1.0 };
        for x in [Operand::integers(&[3], 4, 9), Operand::booleans(&[4])] {
            samples.push(Sample::new(op.clone(), [x]).not_differentiable());
        }
        samples
    }
}
