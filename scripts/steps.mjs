// Steps of a test run: each is a command whose output is shown and whose passed and failed checks are counted.
import { spawn } from 'node:child_process'
import { root } from './project.mjs'

const total = (output, pattern) => [...output.matchAll(pattern)].reduce((n, match) => n + Number(match[1]), 0)

/** Passed and failed tests in what cargo printed. */
export const cargoCount = (output) => [total(output, /test result: \w+\. (\d+) passed/g), total(output, /passed; (\d+) failed/g)]
/** Passed and failed tests in what ava printed. */
export const avaCount = (output) => [
  total(output, /^\s*(\d+) tests? passed/gm),
  total(output, /^\s*(\d+) tests? failed/gm) + total(output, /^\s*(\d+) uncaught exceptions?/gm) + total(output, /^\s*(\d+) unhandled rejections?/gm),
]

export class Steps {
  #passed = 0
  #failed = 0

  /** Runs a step and adds what `count` finds in its output; without `count` it is one check. */
  async run(name, command, args, count, env = {}) {
    console.log(`\n--- ${name}`)
    const child = spawn(command, args, { cwd: root, shell: process.platform === 'win32', env: { ...process.env, FORCE_COLOR: '0', ...env } })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data
        process.stdout.write(data)
      })
    }
    const status = await new Promise((resolve) => {
      child.on('error', () => resolve(1))
      child.on('close', resolve)
    })
    const [good, bad] = count?.(output) ?? [status === 0 ? 1 : 0, status === 0 ? 0 : 1]
    this.#passed += good
    this.#failed += bad
    if (status !== 0 && bad === 0) this.#failed++
  }

  /** Prints the counts and ends the process. */
  end() {
    console.log(`\n${this.#passed} passed, ${this.#failed} failed`)
    process.exit(this.#failed === 0 ? 0 : 1)
  }
}
