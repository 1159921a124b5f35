import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toOnnx } from './onnx/convert.js'
import { median } from './measure.js'
import { progress } from './progress.js'
import { networkOf, workloads } from './workloads/index.js'

const networks = ['mlp', 'mobilenetv2']
const libraries = ['ferrograph', 'onnxruntime-node']
const times = 7

/**
 * Starts fresh processes, the libraries in turn, that import a library, load a model from a file and predict one row.
 *
 * @returns rows `{ workload, library, importMs, loadMs, firstMs, totalMs, residentMb }`, the medians
 */
export async function timeStarting({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), 'ferrograph-bench-'))
  const problems = []
  try {
    const rows = []
    for (const workload of networks) {
      const files = {
        ferrograph: join(folder, `${workload}.keras`),
        'onnxruntime-node': join(folder, `${workload}.onnx`),
      }
      const network = networkOf(workloads.get(workload))
      writeFileSync(files['onnxruntime-node'], toOnnx(network))
      const saved = await start({ workload, save: files.ferrograph })
      if (saved.failed !== undefined) problems.push(`saving ${workload}: ${saved.failed}`)
      const results = new Map(libraries.map((library) => [library, []]))
      for (let i = 0; i < (quick ? 3 : times); i++) {
        for (const library of libraries) {
          progress(`starting ${library} with ${workload}: ${i + 1}`)
          const result = await start({ library, file: files[library], input: network.inputs[0] })
          if (result.failed === undefined) results.get(library).push(result)
          else problems.push(`starting ${library} with ${workload}: ${result.failed}`)
        }
      }
      for (const library of libraries)
        if (results.get(library).length > 0) rows.push({ workload, library, ...medians(results.get(library)) })
    }
    progress('')
    return { rows, problems }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function start(request) {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'starting-child.js'), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let lastWords = ''
    child.stderr.on('data', (text) => (lastWords = `${lastWords}${text}`.slice(-2000)))
    child.once('message', resolve)
    child.once('close', (code, signal) =>
      resolve({ failed: `the process ended with ${signal ?? `code ${code}`}: ${lastWords}` }),
    )
    child.send(request)
  })
}

function medians(results) {
  const keys = Object.keys(results[0])
  return Object.fromEntries(
    keys.map((key) => [key, median(results.map((result) => result[key]).toSorted((a, b) => a - b))]),
  )
}
