import { callOp, cast, defineOp, float, operand, type Operand, type Result } from './op.ts'

/** Operands of {@link lstm} beside the sequence. Gates stand in the order input, forget, cell, output. */
export interface LstmParameters {
  /** `[features, 4 * units]`. */
  readonly kernel: Operand
  /** `[units, 4 * units]`. */
  readonly recurrentKernel: Operand
  /** `[4 * units]`. */
  readonly bias: Operand
  /** The first output, `[batch, units]`. */
  readonly h: Operand
  /** The first cell state, `[batch, units]`. */
  readonly c: Operand
  /** bool `[batch, steps]`: a step that does not count repeats the state before it. */
  readonly mask?: Operand | undefined
}

const lstmOp = defineOp({
  name: 'lstm',
  trace: (trace, [x, kernel, recurrent, bias, h, c, mask], { reverse }) => {
    const operands = [x, kernel, recurrent, bias, h, c].map((value) => float(trace, value))
    const masked = mask !== undefined
    if (masked) operands.push(cast(trace, operand(trace, mask), 'bool'))
    return trace.emit('lstm', { reverse: reverse ?? false, masked }, operands).slice(0, 3)
  },
})
/**
 * A long short-term memory over `[batch, steps, features]` with tanh and sigmoid. Returns the outputs of all steps in
 * the order in which they were computed, the last output and the last cell state.
 */
export function lstm<T extends Operand>(x: T, parameters: LstmParameters, options: { readonly reverse?: boolean } = {}): [Result<T>, Result<T>, Result<T>] {
  const { kernel, recurrentKernel, bias, h, c, mask } = parameters
  const operands = [x, kernel, recurrentKernel, bias, h, c]
  return callOp(lstmOp, mask === undefined ? operands : [...operands, mask], { ...options }) as never
}

/** Operands of {@link gru} beside the sequence. Gates stand in the order update, reset, candidate. */
export interface GruParameters {
  /** `[features, 3 * units]`. */
  readonly kernel: Operand
  /** `[units, 3 * units]`. */
  readonly recurrentKernel: Operand
  /** `[2, 3 * units]`, that of the input and that of the state, or without `resetAfter` `[3 * units]`. */
  readonly bias: Operand
  /** The first output, `[batch, units]`. */
  readonly h: Operand
  /** bool `[batch, steps]`: a step that does not count repeats the state before it. */
  readonly mask?: Operand | undefined
}

const gruOp = defineOp({
  name: 'gru',
  trace: (trace, [x, kernel, recurrent, bias, h, mask], { reverse, resetAfter }) => {
    const operands = [x, kernel, recurrent, bias, h].map((value) => float(trace, value))
    const masked = mask !== undefined
    if (masked) operands.push(cast(trace, operand(trace, mask), 'bool'))
    return trace.emit('gru', { reverse: reverse ?? false, masked, resetAfter: resetAfter ?? true }, operands).slice(0, 2)
  },
})
/**
 * A gated recurrent unit over `[batch, steps, features]` with tanh and sigmoid. Returns the outputs of all steps in the
 * order in which they were computed, and the last output. With `resetAfter` (the default) the reset gate is applied
 * after the product with the recurrent kernel.
 */
export function gru<T extends Operand>(
  x: T,
  parameters: GruParameters,
  options: { readonly reverse?: boolean; readonly resetAfter?: boolean } = {},
): [Result<T>, Result<T>] {
  const { kernel, recurrentKernel, bias, h, mask } = parameters
  const operands = [x, kernel, recurrentKernel, bias, h]
  return callOp(gruOp, mask === undefined ? operands : [...operands, mask], { ...options }) as never
}
