import { stringifyPython } from '../core/python-json.ts'
import { serializeLayer } from './layer-config.ts'
import type { Model } from './model.ts'

/** The architecture as the JSON text that Keras reads. */
export function stringifyModel(model: Model): string {
  return stringifyPython(serializeLayer(model))
}
