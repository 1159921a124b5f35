import test from 'ava'
import { Bidirectional as BidirectionalClass } from '../../ts/layers/bidirectional.ts'
import { parsePython, stringifyPython } from '../../ts/core/python-json.ts'
import * as layers from '../../ts/layers/index.ts'
import type { SymbolicTensor } from '../../ts/core/symbolic.ts'
import { tensor, type Tensor } from '../../ts/native/tensor.ts'
import { Trace } from '../../ts/native/trace.ts'

const x = tensor([[[0.5, -1], [1, 2], [-0.3, 0.7]], [[1, 1], [0, -2], [0.2, 0.1]]])

test('each direction is a layer of its own, and the second stands in the order of time', (t) => {
  const both = layers.Bidirectional({ layer: layers.GRU({ units: 3, returnSequences: true, name: 'reader' }), mergeMode: null, name: 'both' })
  const [forward, backward] = both<Tensor[]>(x) as [Tensor, Tensor]
  t.deepEqual(both.weights.map((w) => w.path).filter((path) => path.endsWith('bias')), ['both/forward_reader/gru_cell/bias', 'both/backward_reader/gru_cell/bias'])
  t.is(both.savedChildren.map(([property]) => property).join(), 'backward_layer,forward_layer')
  const alone = (goBackwards: boolean, weights: Tensor[]): number[][][] => {
    const layer = layers.GRU({ units: 3, returnSequences: true, goBackwards })
    layer.ensureBuilt([2, 3, 2])
    layer.setWeights(weights)
    return layer(x).toArray() as number[][][]
  }
  const weights = both.getWeights()
  t.deepEqual(forward.toArray(), alone(false, weights.slice(0, 3)))
  t.deepEqual(backward.toArray(), alone(true, weights.slice(3)).map((steps) => [...steps].reverse()))
})

test('states of both directions follow the result, and go in by halves', (t) => {
  const both = layers.Bidirectional({ layer: layers.LSTM({ units: 3, returnState: true }) })
  const results = both<Tensor[]>(x)
  t.deepEqual(results.map(({ shape }) => [...shape]), [[2, 6], [2, 3], [2, 3], [2, 3], [2, 3]])
  const states = results.slice(1)
  const next = both<Tensor[]>(x, { initialState: states }).map((result) => result.toArray())
  t.deepEqual(both<Tensor[]>([x, ...states]).map((result) => result.toArray()), next)
  t.throws(() => both(x, { initialState: states.slice(1) }), { message: /received 3/ })
})

test('shapes may have unknown extents', (t) => {
  const sequence = layers.Bidirectional({ layer: layers.GRU({ units: 3, returnSequences: true }) })(layers.Input({ shape: [null, 4] }))
  t.deepEqual([...sequence.shape], [null, null, 6])
  t.deepEqual([...layers.Bidirectional({ layer: layers.GRU({ units: 3 }), mergeMode: 'sum' })(sequence).shape], [null, 3])
})

test('masked steps are passed over in both directions, give 0, and stay masked', (t) => {
  const embedding = layers.Embedding({ inputDim: 5, outputDim: 2, maskZero: true })
  const both = layers.Bidirectional({ layer: layers.GRU({ units: 3, returnSequences: true }) })
  const run = (ids: Tensor): Tensor[] => {
    const trace = new Trace('masked')
    return trace.within(() => {
      const embedded = embedding.invoke([trace.input(ids.shape, ids.dtype)], {})
      const result = both.invoke([embedded], {}) as SymbolicTensor
      return trace.compile([result, result.mask as SymbolicTensor]).runSync([ids]) as Tensor[]
    })
  }
  const [result, mask] = run(tensor([[3, 1, 0, 0]])).map((x) => x.toArray()) as [number[][][], boolean[][]]
  t.deepEqual(mask, [[true, true, false, false]])
  const short = run(tensor([[3, 1]])).map((x) => x.toArray())[0] as number[][][]
  t.deepEqual(result[0]?.slice(0, 2), short[0])
  t.deepEqual(result[0]?.slice(2).flat(), Array<number>(12).fill(0))
})

test('the configuration makes the layer again', (t) => {
  const both = layers.Bidirectional({
    layer: layers.LSTM({ units: 3, activation: 'relu', name: 'a' }),
    backwardLayer: layers.GRU({ units: 2, goBackwards: true, name: 'b' }),
  })
  const again = BidirectionalClass.fromConfig(JSON.parse(JSON.stringify(both.getConfig())))
  t.deepEqual(again.getConfig(), both.getConfig())
  t.deepEqual([both.forwardLayer.name, both.backwardLayer.name], ['forward_a', 'b'])
  t.deepEqual(BidirectionalClass.fromKerasConfig(parsePython(stringifyPython(both.kerasConfig()), 'Bidirectional') as Record<string, unknown>).getConfig(), both.getConfig())
})

test('layers that do not go together are refused', (t) => {
  const layer = layers.LSTM({ units: 3 })
  t.throws(() => layers.Bidirectional({ layer, backwardLayer: layers.LSTM({ units: 3 }) }), { message: /different 'goBackwards', received false for both/ })
  const sequences = layers.LSTM({ units: 3, goBackwards: true, returnSequences: true })
  t.throws(() => layers.Bidirectional({ layer, backwardLayer: sequences }), { message: /one 'returnSequences', received false and true/ })
  t.throws(() => layers.Bidirectional({ layer: layers.Dense({ units: 3 }) as never }), { message: /'layer' must be an LSTM or a GRU layer/ })
  t.throws(() => layers.Bidirectional({ layer, mergeMode: 'product' as never }), { message: /'mergeMode' must be/ })
})
