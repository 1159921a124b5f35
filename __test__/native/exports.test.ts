import { readFileSync, readdirSync } from 'node:fs'
import test from 'ava'
import { addon } from '../../ts/native/addon.ts'

const folder = new URL('../../crates/node/src/', import.meta.url)

test('the native surface is a dozen names, whatever the number of ops', (t) => {
  t.deepEqual(Object.keys(addon).filter((name) => !name.startsWith('__')).sort(), [
    'NativeCancellation',
    'NativeGraph',
    'NativeProgram',
    'NativeRuns',
    'NativeTensor',
    'NativeVariable',
    'readArchive',
    'readWeights',
    'setMemoryLimit',
    'setThreads',
    'settings',
    'writeArchive',
    'writeWeights',
  ])
})

test('every exported function catches panics', (t) => {
  const source = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n')
  const exported = [...source.matchAll(/#\[napi(?:\(((?:[^()]|\([^()]*\))*)\))?\]\s*(?:#\[[^\]]*\]\s*)*pub fn (\w+)/g)]
  t.true(exported.length >= 25, `found ${exported.length}`)
  t.deepEqual(exported.filter(([, attributes]) => !attributes?.includes('catch_unwind')).map(([, , name]) => name), [])
})

test('whatever is passed to the native side is answered with an error', (t) => {
  const { NativeTensor, NativeGraph, NativeVariable } = addon as unknown as Record<string, new (...args: unknown[]) => Record<string, (...args: unknown[]) => unknown>>
  const odd: unknown[] = [undefined, null, -1, 1.5, NaN, Infinity, 2 ** 53, '', 'float32', {}, [], [1, undefined, 3], Symbol('s'), 1n, () => 1, new Float32Array(3), new Proxy({}, {})]
  let refused = 0
  for (const a of odd) {
    for (const b of odd) {
      for (const call of [
        () => new NativeTensor!(a, b, new Float32Array(1)),
        () => new NativeTensor!('float32', a, b),
        () => new NativeVariable!(a, b),
        () => new NativeGraph!()['input']!(a, b),
        () => new NativeGraph!()['emit']!(a, b, []),
        () => new NativeGraph!()['emit']!('add', a, b),
        () => new NativeGraph!()['compile']!(a, b),
        () => new NativeGraph!()['gradients']!(a, b),
        () => new NativeGraph!()['constant']!(a),
        () => addon.setThreads(a as number),
      ]) {
        try {
          call()
        } catch (error) {
          t.true(error instanceof Error)
          refused++
        }
      }
    }
  }
  addon.setThreads(2)
  t.true(refused > 1500, `refused ${refused}`)
  t.is(new addon.NativeTensor('float32', [2], Float32Array.of(1, 2)).read()[1], 2)
})
