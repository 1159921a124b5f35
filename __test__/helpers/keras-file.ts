import { loadModel, type Tensor } from '../../ts/index.ts'
import { flatten } from '../../ts/core/tree.ts'
import { decodeAll, isGoldenTensor, numbers, relativeError, type GoldenTensor, type NamedTensor } from './golden.ts'

/** What stands beside a file that Keras wrote. */
export interface KerasFileCase {
  readonly x: unknown
  readonly y: unknown
  readonly count_params?: number
  readonly resume?: {
    readonly x: unknown
    readonly y: unknown
    readonly sample_weight?: unknown
    readonly batch_size: number
    readonly history?: Readonly<Record<string, readonly number[]>>
    readonly final_weights: readonly NamedTensor[]
  }
}

/** Loads a file and compares it with what Keras made of it; returns what differs. */
export async function checkKerasFile(path: string | URL, expected: KerasFileCase): Promise<string[]> {
  const wrong: string[] = []
  const model = await loadModel(path)
  if (expected.count_params !== undefined && model.countParams() !== expected.count_params) {
    wrong.push(`expected ${expected.count_params} parameters, received ${model.countParams()}`)
  }
  const prediction = flatten(await model.predict(decodeAll(expected.x), { verbose: 0 }))
  goldenLeaves(expected.y).forEach((want, i) => {
    const error = relativeError((prediction[i] as Tensor).data, numbers(want))
    if (!(error <= 1e-5)) wrong.push(`prediction ${i} differs by ${error} of its root mean square`)
  })
  if (!expected.resume) return wrong
  const { resume } = expected
  const { history } = await model.fit(decodeAll(resume.x), decodeAll(resume.y), {
    batchSize: resume.batch_size,
    epochs: 1,
    shuffle: false,
    verbose: 0,
    ...(resume.sample_weight === undefined ? {} : { sampleWeight: decodeAll(resume.sample_weight) }),
  })
  for (const [key, [value]] of Object.entries(resume.history ?? {})) {
    const got = history[key]?.[0] ?? NaN
    if (!(Math.abs(got - (value as number)) <= 1e-4 * Math.max(1, Math.abs(value as number)))) wrong.push(`history '${key}': expected ${value}, received ${got}`)
  }
  const weights = model.weights
  resume.final_weights.forEach(({ path: name, tensor }, i) => {
    const got = weights[i]?.read().data ?? []
    const difference = Math.max(0, ...Array.from(numbers(tensor), (value, at) => Math.abs(value - (got[at] as number))))
    if (!(difference <= 1e-4)) wrong.push(`weight '${name}' differs by ${difference}`)
  })
  return wrong
}

/** The golden tensors of a structure, objects by sorted key. */
function goldenLeaves(value: unknown): GoldenTensor[] {
  if (isGoldenTensor(value)) return [value]
  if (Array.isArray(value)) return value.flatMap((item) => goldenLeaves(item))
  return Object.entries(value as object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, item]) => goldenLeaves(item))
}
