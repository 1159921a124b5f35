import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adam } from './engines/adam.js'
import { toOnnx } from './onnx/convert.js'
import { casesOf, networkOf } from './workloads/index.js'

const folder = join(import.meta.dirname, 'python')
const ownEnvironment = join(import.meta.dirname, '.venv')

/** Far longer than the slowest case takes. */
const limitMs = 900_000

let python
let scratch
const written = new Map()

/**
 * Makes ready the virtual environment in which the engines of Python run: the one given, or our own, which is made and
 * filled with the versions in `python/requirements.txt`.
 *
 * @returns the versions of the libraries
 * @throws Error if there is no Python or the libraries cannot be installed
 */
export function preparePython(given) {
  const environment = given ?? ownEnvironment
  python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  if (!existsSync(python)) {
    if (given !== undefined) throw new Error(`--python-env: expected a virtual environment, received '${given}'`)
    run(process.env.PYTHON ?? 'python3', ['-m', 'venv', environment])
  }
  const requirements = join(folder, 'requirements.txt')
  if (given === undefined) run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
  const names = readFileSync(requirements, 'utf8').match(/^[\w-]+/gm)
  const code = 'import sys, json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))'
  const versions = JSON.parse(run(python, ['-c', code, ...names], 'pipe'))
  return {
    python: run(python, ['-c', 'import platform; print(platform.python_version())'], 'pipe').trim(),
    ...versions,
  }
}

function run(command, args, stdout = 'inherit') {
  const result = spawnSync(command, args, { stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' })
  if (result.status === 0) return result.stdout
  throw new Error(
    `${command} ${args.slice(0, 3).join(' ')}: ${result.error?.message ?? `ended with code ${result.status}`}`,
  )
}

/**
 * Asks `python/worker.py` in a process of its own.
 *
 * @returns one result per case; if the process ends early, each says so in `failed`
 */
export function askPython({ task, workload, cases, budget }, { python: library, threads }) {
  const network = folderOf(workload)
  const answer = join(network, 'answer.json')
  rmSync(answer, { force: true })
  const { promise, resolve } = deferred()
  // OpenMP's threads are set before the libraries start them.
  const env = {
    ...process.env,
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    CUDA_VISIBLE_DEVICES: '',
    PYTHONDONTWRITEBYTECODE: '1',
  }
  const child = spawn(python, [join(folder, 'worker.py')], { env, stdio: ['pipe', 'ignore', 'pipe'] })
  let lastWords = ''
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  child.stderr.on('data', (text) => (lastWords = `${lastWords}${text}`.slice(-2000)))
  child.once('error', (error) => resolve(cases.map(() => ({ failed: error.message }))))
  child.once('close', (code, signal) => {
    clearTimeout(timer)
    if (code === 0 && existsSync(answer)) resolve(JSON.parse(readFileSync(answer, 'utf8')))
    else
      resolve(cases.map(() => ({ failed: `the process ended with ${signal ?? `code ${code}`}: ${lastWords.trim()}` })))
  })
  child.stdin.end(JSON.stringify({ task, cases, budget, library, threads, network, answer }))
  return promise
}

function deferred() {
  let resolve
  const promise = new Promise((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}

/** The folder with the recorded network: `network.json`, `numbers.bin` for its arrays, `network.onnx`. */
function folderOf(workload) {
  const known = written.get(workload.name)
  if (known !== undefined) return known
  if (scratch === undefined) {
    scratch = mkdtempSync(join(tmpdir(), 'ferrograph-bench-'))
    process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
  }
  const target = join(scratch, workload.name)
  mkdirSync(target)
  written.set(workload.name, target)
  const network = networkOf(workload)
  const chunks = []
  let at = 0
  const placed = (data, shape) => {
    chunks.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    const place = { at, shape, dtype: data instanceof Int32Array ? 'int32' : 'float32' }
    at += data.byteLength
    return place
  }
  const batches = [...new Set(casesOf(workload).map(({ batch }) => batch))]
  const recorded = {
    adam,
    loss: workload.loss ?? null,
    inputs: network.inputs,
    outputs: network.outputs,
    steps: network.steps.map((step) => ({
      ...step,
      weights: step.weights.map(({ data, shape }) => placed(data, shape)),
    })),
    cases: batches.map((batch) => ({
      batch,
      data: network.data(batch).map((data, i) => placed(data, [batch, ...network.inputs[i].shape])),
      targets: network.targets(batch).map((data, i) => placed(data, [batch, ...network.outputs[i].shape])),
    })),
  }
  writeFileSync(join(target, 'network.json'), JSON.stringify(recorded))
  writeFileSync(join(target, 'numbers.bin'), Buffer.concat(chunks))
  writeFileSync(join(target, 'network.onnx'), toOnnx(network))
  return target
}
