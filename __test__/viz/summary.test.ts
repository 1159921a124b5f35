import { readFileSync, readdirSync } from 'node:fs'
import test from 'ava'
import { clearSession, modelFromJSON, zeros, type Model } from '../../ts/index.ts'
import { stringifyPython } from '../../ts/core/python-json.ts'

interface SummaryCase {
  readonly options: Readonly<{ line_length?: number; expand_nested?: boolean; show_trainable?: boolean }>
  readonly columns: number
  readonly model: unknown
}

const folder = new URL('../golden/summary/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const name = file.slice(0, -'.json'.length)
  test.serial(`summary of '${name}' is Keras's, character by character`, async (t) => {
    clearSession()
    const { options, columns, model: config } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as SummaryCase
    const model: Model = modelFromJSON(stringifyPython(config))
    if (name === 'trained') {
      model.compile({ optimizer: 'adam', loss: 'mse' })
      await model.trainOnBatch(zeros([1, 32]), [[1]])
    }
    const printed: string[] = []
    const before = process.env['COLUMNS']
    process.env['COLUMNS'] = String(columns)
    model.summary({
      ...(options.line_length === undefined ? {} : { lineLength: options.line_length }),
      expandNested: options.expand_nested ?? false,
      showTrainable: options.show_trainable ?? false,
      print: (text) => printed.push(text),
    })
    if (before === undefined) delete process.env['COLUMNS']
    else process.env['COLUMNS'] = before
    t.is(`${printed.join('\n')}\n`, readFileSync(new URL(`${name}.txt`, folder), 'utf8'))
  })
}
