/** Largest difference that counts as the same: of predictions as a share of the largest prediction, and of losses. */
const tolerances = { predict: 1e-4, train: 1e-3 }

/** Whose numbers the others are held against: the first of these that has any. Plain loops come before fast kernels. */
const references = ['tfjs-cpu', 'tfjs-wasm', 'ort-node-1', 'ferrograph-1']

/**
 * Compares the numbers of all engines for one case.
 *
 * @param answers what each engine answered, by its name
 * @returns `{ reference, largest, wrong }`: whose numbers were the measure, the largest difference among those that
 * agree, and a sentence for each engine that does not
 */
export function compare(kind, answers) {
  const reference = references.find((engine) => answers.get(engine)?.values)
  const wrong = new Map()
  let largest = 0
  for (const [engine, { values }] of answers) {
    if (!values || engine === reference) continue
    const expected = answers.get(reference).values
    const difference = distance(kind, expected, values)
    if (difference <= tolerances[kind]) largest = Math.max(largest, difference)
    else wrong.set(engine, `differs from ${reference} by ${difference.toPrecision(3)}, more than ${tolerances[kind]}`)
  }
  return { reference, largest, wrong }
}

/** The largest difference; NaN, which no tolerance allows, for NaN or another number of predictions. */
function distance(kind, expected, values) {
  // A slow engine makes fewer training steps.
  const count = kind === 'train' ? Math.min(expected.length, values.length) : expected.length
  if (kind === 'predict' && values.length !== count) return Number.NaN
  const scale = kind === 'predict' ? expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 1
  let largest = 0
  for (let i = 0; i < count; i++) {
    const difference = Math.abs(expected[i] - values[i]) / scale
    if (!(difference <= largest)) largest = difference
    if (Number.isNaN(difference)) return difference
  }
  return largest
}
