// Prints hashes of what the models of `sameness.ts` predict and learn, on the instruction set that the environment names.
import { createHash } from 'node:crypto'
import { setRandomSeed, settings } from '../../ts/index.ts'
import { bits, cases, trained } from './sameness.ts'

const hash = (parts: readonly Buffer[]): string => {
  const all = createHash('sha256')
  for (const part of parts) all.update(part)
  return all.digest('hex')
}
const results: Record<string, unknown> = { simd: settings().simd }
for (const [name, sample] of Object.entries(cases)) {
  setRandomSeed(7)
  const predicted = hash([bits(sample.make().predictSync(sample.x(33)))])
  results[name] = { predicted, trained: hash(await trained(sample)) }
}
console.log(JSON.stringify(results))
