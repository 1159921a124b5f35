import { pair } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField, paddingField, poolStridesField } from './fields.ts'
import type { InputSpec } from './layer.ts'

/** The largest cell of each window of images `[N, H, W, C]`. Windows are 2 x 2 and do not overlap by default. */
export class MaxPooling2D extends configured('MaxPooling2D', {
  poolSize: pair({ default: 2 }),
  strides: poolStridesField(),
  padding: paddingField(),
  dataFormat: dataFormatField(),
}) {
  override inputSpec: InputSpec = { rank: 4 }

  override call(x: SymbolicTensor): SymbolicTensor {
    const { poolSize, strides, padding } = this.config
    return ops.maxPool2d(x, { poolSize, strides: strides ?? poolSize, padding })
  }
}
