//! The product of two matrices of which neither is there in another form.

use ferrograph_graph::{Clamp, Epilogue, GraphError, RunContext, Step, WithClamp, WithEpilogue};
use ferrograph_kernels::elementwise::Clamped;
use ferrograph_kernels::gemm::{self, Identity, Matrix};
use ferrograph_kernels::parallel::finish;

/// `y = a b` with `a` `[m, k]` and `b` `[k, n]`, or `[n, k]` if it is transposed.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// `m`, `k` and `n`.
    extents: [usize; 3],
    transpose_b: bool,
    takes_epilogue: bool,
    scratch_len: usize,
}

impl Unpacked {
    /// `None` where `b` is better packed before.
    pub(crate) fn new(extents: [usize; 3], transpose_b: bool, takes_epilogue: bool) -> Option<Self> {
        let [m, k, n] = extents;
        let scratch_len = gemm::unpacked_scratch_len(m, k, n)?;
        Some(Self { extents, transpose_b, takes_epilogue, scratch_len })
    }

    fn multiply<E: gemm::Epilogue>(&self, context: &mut RunContext<'_>, epilogue: E) {
        let [m, k, n] = self.extents;
        let (a, b, y) = (context.inputs.f32(0), context.inputs.f32(1), context.outputs.f32(0));
        let b = if self.transpose_b { Matrix::transposed(b, k) } else { Matrix::row_major(b, n) };
        gemm::gemm_unpacked(m, k, n, a, b, context.scratch, y, epilogue);
    }
}

impl Step for Unpacked {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        self.multiply(&mut context, Identity);
        Ok(())
    }

    fn scratch_len(&self) -> usize {
        self.scratch_len
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        if self.takes_epilogue { Some(self) } else { None }
    }

    fn with_clamp(&self, channels: usize) -> Option<&dyn WithClamp> {
        if channels == self.extents[2] { Some(self) } else { None }
    }
}

impl WithEpilogue for Unpacked {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        self.multiply(&mut context, Identity);
        finish(context.outputs.f32(0), self.extents[2], epilogue);
        Ok(())
    }
}

impl WithClamp for Unpacked {
    fn run_with_clamp(&self, mut context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError> {
        let Clamp { bias, low, high } = clamp;
        self.multiply(&mut context, Clamped { bias, low, high });
        Ok(())
    }
}
