/** The numbers `0..count - 1` in an order that follows from the seed alone. */
export function permutation(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  shuffle(order, 0, count, generator(seed))
  return order
}

/** The same with rows mixed within each batch only. */
export function permutationWithinBatches(count: number, batchSize: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const random = generator(seed)
  for (let start = 0; start < count; start += batchSize)
    shuffle(order, start, Math.min(start + batchSize, count), random)
  return order
}

/** Fisher and Yates: every order is as likely as any other. */
function shuffle(order: Uint32Array, start: number, end: number, random: () => number): void {
  for (let i = end - 1; i > start; i--) {
    const j = start + Math.floor(random() * (i - start + 1))
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
}

/** Numbers in 0..1 with 53 bits from two steps of SplitMix32. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000
}
