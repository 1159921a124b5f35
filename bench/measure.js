import { watchOthers } from './machine.js'

/** A call that takes longer is timed once, without warm-up: what compilers and caches do is small beside it. */
export const slowMs = 2000

/**
 * Times a call, which may return a promise, again and again for `budget` milliseconds and at least three times, after
 * a warm-up of half the budget.
 *
 * @returns `median` and `least` in milliseconds, the number of `calls`, and the share of the machine that `others` used
 */
export async function measure(call, budget) {
  const others = watchOthers()
  const first = await time(call)
  if (first > slowMs) return { median: first, least: first, calls: 1, others: others() }
  await repeat(call, budget / 2, 3)
  const othersDuring = watchOthers()
  const samples = (await repeat(call, budget, 3)).toSorted((a, b) => a - b)
  return { median: median(samples), least: samples[0], calls: samples.length, others: othersDuring() }
}

async function repeat(call, budget, least) {
  const samples = []
  const end = performance.now() + budget
  while (samples.length < least || performance.now() < end) samples.push(await time(call))
  return samples
}

async function time(call) {
  const begun = performance.now()
  const result = call()
  // Only a promise is awaited, so that calls that return at once pay nothing for the others.
  if (result instanceof Promise) await result
  return performance.now() - begun
}

/** The median of numbers in ascending order. */
export function median(sorted) {
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
}
