//! The text form of a graph, for people.

use crate::{Graph, Origin, ValueId};
use std::fmt;

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.index())
    }
}

impl fmt::Display for Graph {
    /// One line for each value: `%4 = matmul{}(%0, %1) : float32[null, 64]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for index in 0..self.value_count() {
            let Ok(id) = self.value(index) else { continue };
            match self.origin(id) {
                Origin::Input(n) => writeln!(f, "{id} = input {n} : {}", self.ty(id))?,
                Origin::Variable(v) => writeln!(f, "{id} = variable '{}' : {}", v.name(), self.ty(id))?,
                Origin::Constant(_) => writeln!(f, "{id} = constant : {}", self.ty(id))?,
                Origin::Node { result: 0, node } => {
                    let node = &self.nodes()[*node];
                    let results: Vec<String> = node.results.iter().map(ValueId::to_string).collect();
                    let operands: Vec<String> = node.operands.iter().map(ValueId::to_string).collect();
                    let types: Vec<String> = node.results.iter().map(|&r| self.ty(r).to_string()).collect();
                    writeln!(
                        f,
                        "{} = {}{}({}) : {}",
                        results.join(", "),
                        node.op.name(),
                        node.op.attributes(),
                        operands.join(", "),
                        types.join(", ")
                    )?;
                }
                Origin::Node { .. } => {}
            }
        }
        Ok(())
    }
}
