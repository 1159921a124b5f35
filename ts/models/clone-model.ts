import { findBuiltIn } from '../core/registry.ts'
import { deserializeLayer, serializeLayer, type CustomObjects } from './layer-config.ts'
import type { Model } from './model.ts'
import { parsePython, stringifyPython } from '../core/python-json.ts'

/** The same architecture with new weights; names and sharing are kept, nothing is compiled. */
export function cloneModel(model: Model, options: { readonly customObjects?: CustomObjects } = {}): Model {
  const classes = Object.fromEntries(customClasses(model).map((type) => [type.name, type]))
  const config = parsePython(stringifyPython(serializeLayer(model)), `cloneModel '${model.name}'`)
  return deserializeLayer(config, { ...classes, ...options.customObjects }) as Model
}

function customClasses(model: Model): Function[] {
  const seen = new Set<Function>()
  const waiting = [...model.layers]
  for (let layer = waiting.pop(); layer; layer = waiting.pop()) {
    seen.add(layer.constructor)
    waiting.push(...layer.sublayers)
  }
  const isBuiltIn = (type: Function): boolean =>
    ['keras.layers', 'keras', 'keras.src.models.functional'].some((module) => (findBuiltIn(module, type.name) as unknown) === type)
  return [...seen].filter((type) => !isBuiltIn(type))
}
