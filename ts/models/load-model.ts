import { ConfigError, FerrographError, FileError } from '../core/errors.ts'
import { isPlainObject } from '../core/tree.ts'
import { assignOptimizer, assignWeights, readModelFile } from '../saving/files.ts'
import { parsePython } from '../core/python-json.ts'
import { deserializeLayer, type CustomObjects } from './layer-config.ts'
import { Model } from './model.ts'

/** Options of {@link loadModel}. */
export interface LoadModelOptions {
  /** Classes of your own that the file speaks of, by class name or registered name. */
  readonly customObjects?: CustomObjects
  /** Compile the model as the file says, with the state of its optimizer. Default `true`. */
  readonly compile?: boolean
}

/**
 * Reads a model that this library or Keras 3 saved as `.keras`.
 *
 * No code is ever loaded: only classes of this library, registered ones and those in `customObjects` are made.
 *
 * @param source A path, a `file:` URL, or the bytes of the file.
 * @throws FileError when the file is missing, damaged, hostile, or does not fit together.
 * @throws ConfigError when it speaks of unknown classes or options.
 */
export async function loadModel(source: string | URL | Uint8Array, options: LoadModelOptions = {}): Promise<Model> {
  const file = await readModelFile(source)
  const model = modelFrom(file.config, options.customObjects ?? {})
  if (!model.built) {
    throw new FileError(`'${model.name}': the file does not say for which input the model is built`, 'FILE_INVALID')
  }
  assignWeights(model, file.tensors)
  const compileConfig = isPlainObject(file.config) ? file.config['compile_config'] : undefined
  if ((options.compile ?? true) && isPlainObject(compileConfig) && Object.keys(compileConfig).length > 0) {
    model.trainer.compileFromConfig(compileConfig, options.customObjects)
    const { optimizer } = model.trainer
    if (optimizer && [...file.tensors.keys()].some((path) => path.startsWith('optimizer/'))) {
      optimizer.build(model.trainableWeights)
      if (!assignOptimizer(optimizer.variables, file.tensors)) {
        throw new FileError(`'${model.name}': the state of the optimizer in the file does not fit the model`, 'FILE_MISMATCH')
      }
    }
  }
  return model
}

/** Makes a model with new weights from the text of `model.toJSON()` or of Keras's `model.to_json()`. */
export function modelFromJSON(text: string, options: Pick<LoadModelOptions, 'customObjects'> = {}): Model {
  return modelFrom(parsePython(text, 'modelFromJSON'), options.customObjects ?? {})
}

function modelFrom(config: unknown, customObjects: CustomObjects): Model {
  try {
    const model = deserializeLayer(config, customObjects)
    if (model instanceof Model) {
      buildFromConfig(model, config)
      return model
    }
    throw new ConfigError(`expected a model, the configuration describes a ${model.className}`)
  } catch (error) {
    if (error instanceof FerrographError) throw error
    throw new FileError('the configuration of the model is not what Keras writes', 'FILE_INVALID', {}, { cause: error })
  }
}

/** A subclassed model is built for the shape the file names. */
function buildFromConfig(model: Model, config: unknown): void {
  const build = isPlainObject(config) && isPlainObject(config['build_config']) ? config['build_config'] : {}
  const shape = build['input_shape']
  if (!model.built && shape !== null && shape !== undefined) model.buildFor(shape)
}
