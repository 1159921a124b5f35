import { oneOf, pair } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField } from './fields.ts'
import { knownExtent } from './known-extent.ts'
import type { InputSpec } from './layer.ts'

/** Each cell of images `[N, H, W, C]` repeated `size` times down and across; 2 x 2 by default. */
export class UpSampling2D extends configured('UpSampling2D', {
  size: pair({ default: 2 }),
  dataFormat: dataFormatField(),
  interpolation: oneOf(['nearest'], 'nearest'),
}) {
  override inputSpec: InputSpec = { rank: 4 }

  override call(x: SymbolicTensor): SymbolicTensor {
    const [down, across] = this.config.size
    const wide = repeatWidth(x, across)
    if (down === 1) return wide
    return ops.transpose(repeatWidth(ops.transpose(wide, [0, 2, 1, 3]), down), [0, 2, 1, 3])
  }
}

/** Copies beside each other in the channels become neighbours when the channels are cut again: no extent need be known. */
function repeatWidth(x: SymbolicTensor, times: number): SymbolicTensor {
  if (times === 1) return x
  const copies = ops.concatenate(Array.from({ length: times }, () => x), 3)
  const width = x.shape[2]
  return ops.reshape(copies, [null, null, typeof width === 'number' ? width * times : -1, knownExtent(x.shape, 3)])
}
