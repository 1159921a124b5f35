import { ConfigError } from './errors.ts'
import { show } from './names.ts'

let state = (Date.now() ^ (Math.random() * 0xffffffff)) >>> 0

/**
 * Makes everything random from here on repeatable: initial weights, dropout, shuffling. The numbers are not those of
 * other libraries.
 *
 * @param seed A whole number, 0 to 2^31 - 1.
 */
export function setRandomSeed(seed: number): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0x7fffffff) {
    throw new ConfigError(`setRandomSeed: expected an integer in 0..2147483647, received ${show(seed)}`)
  }
  state = seed >>> 0
}

/** The next seed, 0 to 2^31 - 1, for something random that was given none (SplitMix32). */
export function nextSeed(): number {
  state = (state + 0x9e3779b9) >>> 0
  let z = state
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return ((z ^ (z >>> 15)) >>> 0) & 0x7fffffff
}
