import { field, type Field } from '../core/schema.ts'
import { PythonFloat } from '../core/python-json.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'

type Factor = number | readonly number[]

function parse(value: unknown): Factor | undefined {
  const list = [value].flat()
  return list.length > 0 && list.every((n) => typeof n === 'number' && Number.isFinite(n)) ? (value as Factor) : undefined
}

function operand(value: Factor): number | Tensor {
  return typeof value === 'number' ? value : tensor([...value])
}

function factorField(fallback?: Factor): Field<Factor, Factor, false> {
  return field<Factor, Factor>({
    ...(fallback === undefined ? {} : { default: fallback }),
    wanted: 'a finite number or an array of them',
    parse,
    serialize: (value) => value,
    toKeras: (value) => (typeof value === 'number' ? new PythonFloat(value) : value.map((n) => new PythonFloat(n))),
  })
}

/** `x * scale + offset` (0); each a number, or one for each extent of the last axis. */
export class Rescaling extends configured('Rescaling', {
  scale: { ...factorField(), required: true } as Field<Factor, Factor, true>,
  offset: factorField(0),
}) {
  override supportsMasking = true
  override inputSpec = {}

  override call(x: SymbolicTensor): SymbolicTensor {
    const { scale, offset } = this.config
    return ops.add(ops.multiply(ops.cast(x, 'float32'), operand(scale)), operand(offset))
  }
}
