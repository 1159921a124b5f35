import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { FileError } from '../../core/errors.ts'
import { Callback, type Logs } from './callback.ts'

/** Options of {@link CSVLogger}. */
export interface CSVLoggerOptions {
  /** Between the fields. Default `','`. */
  readonly separator?: string
  /** Go on with a file that exists instead of replacing it. Default `false`. */
  readonly append?: boolean
}

/** Writes the logs of every epoch to a file, a line each. */
export class CSVLogger extends Callback {
  readonly #path: string
  readonly #separator: string
  readonly #append: boolean
  #keys: string[] | undefined
  #header = true

  constructor(path: string, options: CSVLoggerOptions = {}) {
    super()
    this.#path = path
    this.#separator = options.separator ?? ','
    this.#append = options.append ?? false
  }

  override async onTrainBegin(): Promise<void> {
    this.#keys = undefined
    this.#header = !this.#append || (await this.#isEmpty())
    if (!this.#append) await this.#write(writeFile(this.#path, ''))
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (!this.#keys) {
      const keys = Object.keys(logs).sort()
      // Epochs that are measured later still find their columns.
      this.#keys = keys.some((key) => key.startsWith('val_')) ? keys : [...keys, ...keys.map((key) => `val_${key}`)]
      if (this.#header) await this.#line(['epoch', ...this.#keys])
      this.#header = false
    }
    await this.#line([epoch, ...this.#keys.map((key) => logs[key] ?? 'NA')])
  }

  #line(fields: readonly (string | number)[]): Promise<void> {
    const escaped = fields.map((field) => {
      const text = String(field)
      return text.includes(this.#separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    })
    return this.#write(appendFile(this.#path, `${escaped.join(this.#separator)}\r\n`))
  }

  async #isEmpty(): Promise<boolean> {
    try {
      return (await readFile(this.#path)).length === 0
    } catch {
      return true
    }
  }

  async #write(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (cause) {
      throw new FileError(
        `could not write '${this.#path}': ${(cause as Error).message}`,
        'FILE_WRITE',
        { path: this.#path },
        { cause },
      )
    }
  }
}
