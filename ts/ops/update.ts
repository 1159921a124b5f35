import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Variable } from '../native/variable.ts'
import { callOp, defineOp, first, float, type Operand, type Result } from './op.ts'

const lerpOp = defineOp({
  name: 'lerp',
  trace: (trace, [a, b], { weight }) => first(trace.emit('lerp', { weight: weight as number }, [float(trace, a), float(trace, b)])),
})
/** `a + (b - a) * weight`, broadcast: from `a` towards `b`, as a moving average goes. `weight` is a number. */
export function lerp<A extends Operand, B extends Operand>(a: A, b: B, weight: number): Result<A | B> {
  return callOp(lerpOp, [a, b], { weight }) as Result<A | B>
}

const adamStepOp = defineOp({
  name: 'adamStep',
  trace: (trace, operands, { epsilon }) =>
    first(
      trace.emit(
        'adam_step',
        { epsilon: epsilon as number },
        operands.map((x) => float(trace, x)),
      ),
    ),
})
/**
 * `w - m * alpha / (sqrt(v) + epsilon)`, in one pass: weights after a step along the first moments `m`, divided by the roots
 * of the second moments `v`. All three have one shape; the step size `alpha` is a scalar.
 */
export function adamStep(
  w: SymbolicTensor | Variable,
  m: SymbolicTensor | Variable,
  v: SymbolicTensor | Variable,
  alpha: SymbolicTensor,
  epsilon: number,
): SymbolicTensor {
  return callOp(adamStepOp, [w, m, v, alpha], { epsilon }) as SymbolicTensor
}
