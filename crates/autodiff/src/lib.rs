//! Reverse mode, graph to graph: the gradient is more nodes of the same graph, so that it passes through the same
//! fusion and memory planning as everything else, and can be differentiated again.

mod between;
mod gradients;
mod vocabulary;

pub use gradients::gradients;
pub use vocabulary::Vocabulary;
