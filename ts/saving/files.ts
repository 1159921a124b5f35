import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ConfigError, FerrographError, FileError, StateError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { parsePython, stringifyPython } from '../core/python-json.ts'
import type { SerializedObject } from '../core/registry.ts'
import { addon, type StoredGroup, type StoredTensor } from '../native/addon.ts'
import { translated } from '../native/errors.ts'
import type { Tensor } from '../native/tensor.ts'
import type { Variable } from '../native/variable.ts'
import { writeAtomically } from './atomic-write.ts'
import { reviveTensor, storeVariable } from './stored-tensor.ts'
import { weightGroups, type Saved, type WeightGroup } from './weight-tree.ts'

/** The version of Keras whose files these are. */
export const kerasVersion = '3.15.1'

/** Options of {@link saveModel} and {@link saveWeights}. */
export interface SaveOptions {
  /** Replace a file that exists. Default `true`. */
  readonly overwrite?: boolean
}

/** Options of {@link loadWeights}. */
export interface LoadWeightsOptions {
  /** Leave out weights whose shape differs instead of refusing the file. Default `false`. */
  readonly skipMismatch?: boolean
}

/** What saving knows of a model. */
export interface SavedModel extends Saved {
  readonly built: boolean
  /** The model in the form of Keras's files. */
  kerasObject(): SerializedObject
  /** The optimizer's variables in Keras's order, if the model was compiled and trained. */
  readonly optimizerVariables: readonly Variable[]
}

/** A `.keras` file, read but not yet turned into a model. */
export interface ModelFile {
  readonly config: unknown
  readonly kerasVersion: string
  readonly tensors: ReadonlyMap<string, StoredTensor>
}

/** A path given as text or as a `file:` URL. */
export function pathOf(path: string | URL, extension: string): string {
  const text = path instanceof URL ? fileURLToPath(path) : path
  if (typeof text !== 'string' || !text.endsWith(extension) || text.includes('\0')) {
    throw new ConfigError(`expected a path that ends in '${extension}', received ${show(text)}`)
  }
  return text
}

/** Writes a whole model. */
export async function saveModel(model: SavedModel, path: string | URL, options: SaveOptions = {}): Promise<void> {
  const target = pathOf(path, '.keras')
  requireBuilt(model)
  const bytes = modelBytes(model)
  await store(target, bytes, options)
}

/** A whole model as the bytes of a `.keras` file. */
export function modelBytes(model: SavedModel): Uint8Array {
  const config = stringifyPython(model.kerasObject())
  const saved = new Date().toISOString()
  const metadata = stringifyPython({ keras_version: kerasVersion, date_saved: `${saved.slice(0, 10)}@${saved.slice(11, 19)}` })
  return translated(() => addon.writeArchive({ config, metadata, ...table(model, true) }))
}

/** Writes the weights. */
export async function saveWeights(model: SavedModel, path: string | URL, options: SaveOptions = {}): Promise<void> {
  const target = pathOf(path, '.weights.h5')
  requireBuilt(model)
  await store(target, translated(() => addon.writeWeights(table(model, true))), options)
}

function requireBuilt(model: SavedModel): void {
  if (!model.built) throw new StateError(`'${model.name}': expected a model that was built; call it once before saving`)
}

async function store(path: string, bytes: Uint8Array, { overwrite = true }: SaveOptions): Promise<void> {
  if (!overwrite) {
    const exists = await readFile(path).then(() => true, () => false)
    if (exists) throw new FileError(`'${path}' exists and overwrite is false`, 'FILE_EXISTS', { path })
  }
  await writeAtomically(path, bytes)
}

function table(model: SavedModel, withOptimizer: boolean): { groups: StoredGroup[]; tensors: StoredTensor[] } {
  const groups = allGroups(model, withOptimizer)
  return {
    groups: groups.map(({ path, name }) => ({ path, name })),
    tensors: groups.flatMap(({ path, variables }) => variables.map((variable, i) => storeVariable(`${path}/${i}`, variable))),
  }
}

function allGroups(model: SavedModel, withOptimizer: boolean): WeightGroup[] {
  const groups = weightGroups(model)
  if (withOptimizer && model.optimizerVariables.length > 0) {
    groups.push({ path: 'optimizer/vars', name: 'optimizer', variables: model.optimizerVariables })
  }
  return groups
}

/** Reads a `.keras` file, or its bytes. */
export async function readModelFile(source: string | URL | Uint8Array): Promise<ModelFile> {
  const bytes = source instanceof Uint8Array ? source : await readBytes(pathOf(source, '.keras'))
  const archive = translated(() => addon.readArchive(bytes))
  const metadata = parsePython(archive.metadata, 'metadata.json') as { keras_version?: unknown } | null
  return {
    config: parsePython(archive.config, 'config.json'),
    kerasVersion: typeof metadata?.keras_version === 'string' ? metadata.keras_version : '',
    tensors: new Map(archive.tensors.map((stored) => [stored.path, stored])),
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new FileError(`could not read '${path}': ${(cause as Error).message}`, 'FILE_READ', { path }, { cause })
  }
}

/** Reads weights into a model. */
export async function loadWeights(model: SavedModel, path: string | URL, options: LoadWeightsOptions = {}): Promise<void> {
  requireBuilt(model)
  const text = path instanceof URL ? fileURLToPath(path) : path
  const tensors = text.endsWith('.keras')
    ? (await readModelFile(path)).tensors
    : new Map((await readWeightsFile(pathOf(path, '.weights.h5'))).map((stored) => [stored.path, stored]))
  assignWeights(model, tensors, options)
}

async function readWeightsFile(path: string): Promise<StoredTensor[]> {
  const bytes = await readBytes(path)
  return translated(() => addon.readWeights(bytes))
}

/**
 * Gives a model the weights of a file. All of them are checked before the first is assigned.
 *
 * @throws FileError when one is missing, left over, or of another shape or type.
 */
export function assignWeights(model: SavedModel, tensors: ReadonlyMap<string, StoredTensor>, options: LoadWeightsOptions = {}): void {
  const next: [Variable, Tensor][] = []
  const used = new Set<string>()
  for (const group of allGroups(model, false)) {
    group.variables.forEach((variable, i) => {
      const path = `${group.path}/${i}`
      used.add(path)
      const stored = tensors.get(path)
      try {
        if (!stored) throw missing(group, tensors)
        next.push([variable, reviveTensor(stored, variable)])
      } catch (error) {
        if (!options.skipMismatch || !(error instanceof FerrographError)) throw error
      }
    })
  }
  const extra = [...tensors.keys()].find((path) => !used.has(path) && !path.startsWith('optimizer/'))
  if (extra !== undefined && !options.skipMismatch) {
    throw new FileError(`the file has a weight '${extra}' that '${model.name}' does not have`, 'FILE_MISMATCH', { path: extra })
  }
  for (const [variable, value] of next) variable.assign(value)
}

function missing(group: WeightGroup, tensors: ReadonlyMap<string, StoredTensor>): FileError {
  const found = [...tensors.keys()].filter((path) => path.startsWith(`${group.path}/`)).length
  return new FileError(
    `layer '${group.name}' expected ${group.variables.length} variables, but the file has ${found} at '${group.path}'`,
    'FILE_MISMATCH',
    { path: group.path, expected: group.variables.length, received: found },
  )
}

/** Gives an optimizer's variables the values of a file, if it holds as many of the right shapes; returns whether it did. */
export function assignOptimizer(variables: readonly Variable[], tensors: ReadonlyMap<string, StoredTensor>): boolean {
  const stored = variables.map((_, i) => tensors.get(`optimizer/vars/${i}`))
  const count = [...tensors.keys()].filter((path) => path.startsWith('optimizer/vars/')).length
  if (count !== variables.length || stored.some((item) => item === undefined)) return false
  const next = variables.map((variable, i) => reviveTensor(stored[i] as StoredTensor, variable))
  variables.forEach((variable, i) => variable.assign(next[i] as Tensor))
  return true
}
