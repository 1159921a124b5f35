import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { engines } from './engines/index.js'
import { workloads } from './workloads/index.js'

/** Where the command was given: npm runs scripts in the folder of their package. */
export const startFolder = process.env.INIT_CWD ?? process.cwd()

/** What is measured, in this order. */
const parts = ['networks', 'curves', 'serving', 'starting', 'kernels']

export const usage = `npm run bench -- [options]
  --rounds N       rounds in which every engine takes its turn (3)
  --budget MS      time for the calls of one case in one round, after a warm-up of half of it (400)
  --only A,B       workloads: ${[...workloads.keys()].join(', ')}
  --engines A,B    engines: ${[...engines.keys()].join(', ')}
                   (without it: those that are not optional and have a processor for each thread)
  --kinds A,B      predict, train
  --parts A,B      networks, curves, serving, starting, kernels (all of them; with --only or --kinds: networks)
  --quick          one round with short budgets, without the plain JavaScript backend
  --busy           measure even when other processes use the machine
  --python         also PyTorch, Keras on TensorFlow and ONNX Runtime in Python, which are installed to .venv (7 GB)
  --python-env DIR another virtual environment with the libraries of python/requirements.txt, used as it is;
                   also as FERROGRAPH_BENCH_PYTHON
  --out FILE       the record; without it, a run of everything writes record/<processor>.json
  --merge          keep what the record already has of other workloads and parts
  --help`

/**
 * Reads the command line.
 *
 * @throws Error that says which option is wrong.
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      budget: { type: 'string' },
      parts: { type: 'string' },
      quick: { type: 'boolean', default: false },
      busy: { type: 'boolean', default: false },
      merge: { type: 'boolean', default: false },
      only: { type: 'string' },
      engines: { type: 'string' },
      kinds: { type: 'string' },
      python: { type: 'boolean', default: false },
      'python-env': { type: 'string', default: process.env.FERROGRAPH_BENCH_PYTHON },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const usual = [...engines].filter(
    ([name, { optional, threads, python }]) =>
      !optional &&
      threads <= availableParallelism() &&
      (!python || values.python) &&
      !(values.quick && name === 'tfjs-cpu'),
  )
  const selected = values.only !== undefined || values.engines !== undefined || values.kinds !== undefined
  return {
    rounds: whole('--rounds', values.rounds ?? (values.quick ? '1' : '3')),
    budget: whole('--budget', values.budget ?? (values.quick ? '100' : '400')),
    parts: some('--parts', values.parts, parts, selected ? ['networks'] : parts),
    quick: values.quick,
    busy: values.busy,
    merge: values.merge,
    only: some('--only', values.only, [...workloads.keys()]),
    engines: some(
      '--engines',
      values.engines,
      [...engines.keys()],
      usual.map(([name]) => name),
    ),
    kinds: some('--kinds', values.kinds, ['predict', 'train']),
    pythonEnvironment: values['python-env'] && resolve(startFolder, values['python-env']),
    everything: !selected && values.parts === undefined && !values.quick,
    out: values.out && resolve(startFolder, values.out),
    help: values.help,
  }
}

function whole(option, text) {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`${option}: expected a whole number above 0, received '${text}'`)
}

function some(option, text, known, usual = known) {
  if (text === undefined) return usual
  const chosen = [...new Set(text.split(','))]
  const unknown = chosen.find((name) => !known.includes(name))
  if (unknown === undefined) return chosen
  throw new Error(`${option}: expected some of ${known.join(', ')}, received '${unknown}'`)
}
