import { ConfigError } from '../core/errors.ts'
import type { Compiled } from './compile.ts'
import { weightsByClass } from './data/class-weight.ts'
import { readInputs, readTargets, readWeights, type Columns } from './data/read.ts'
import { describeOutputs, type InputPlace } from './outputs.ts'
import type { Structure } from '../core/tree.ts'
import type { Trainable } from './trainable.ts'

/** Data as a caller gave it. */
export interface GivenData {
  readonly x: unknown
  readonly y: unknown
  readonly sampleWeight: unknown
}

/** Columns with what programs are to be traced for. */
export interface ReadColumns extends Columns {
  readonly places: Structure<InputPlace>
}

/**
 * Reads inputs, targets and weights for a compiled model. The first inputs tie losses and metrics to the outputs of a
 * model that did not know them when it was compiled.
 */
export function readColumns(
  model: Trainable,
  compiled: Compiled,
  data: GivenData,
  classWeight?: ReadonlyMap<number, number>,
): ReadColumns {
  const owner = `'${model.name}'`
  const { columns: inputs, places } = readInputs(model, data.x)
  if (!compiled.outputs) compiled.connect(describeOutputs(model, places))
  const { outputs } = compiled
  if (!outputs) throw new ConfigError(`${owner}: expected a model with outputs`)
  const targets = readTargets(owner, outputs, data.y, (index) => compiled.needsTarget(index))
  let weights = readWeights(owner, outputs, data.sampleWeight)
  if (classWeight) {
    const [only] = targets
    if (data.sampleWeight !== undefined && data.sampleWeight !== null)
      throw new ConfigError(`${owner}: expected either 'classWeight' or 'sampleWeight', received both`)
    if (targets.length !== 1 || !only)
      throw new ConfigError(`${owner}: 'classWeight' needs a model with one output and targets for it`)
    weights = [weightsByClass(`${owner}: class weights`, only, classWeight)]
  }
  // What no loss and no metric reads need not cross into the core.
  const used = targets.map((target, i) => (compiled.needsTarget(i) ? target : undefined))
  return { inputs, targets: used, weights: weights.map((weight, i) => (used[i] ? weight : undefined)), places }
}
