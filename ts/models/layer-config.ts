import { ConfigError } from '../core/errors.ts'
import { toCamelCase, toKerasKey } from '../core/names.ts'
import { findBuiltIn, findCustom, isSerializedObject, registeredNameOf, type SerializedObject } from '../core/registry.ts'
import type { Layer } from '../layers/layer.ts'
import type { ConfiguredLayer } from '../layers/configured.ts'
import type { Schema } from '../core/schema.ts'

/** Classes of the caller's, by the name under which a file asks for them. */
export type CustomObjects = Readonly<Record<string, unknown>>

/** A model writes its configuration itself: it speaks of other layers. */
interface SelfDescribing {
  kerasObject(): SerializedObject
}

/** A layer in the form of Keras's files. */
export function serializeLayer(layer: Layer): SerializedObject {
  if ('kerasObject' in layer) return (layer as unknown as SelfDescribing).kerasObject()
  const { className } = layer
  const buildShape = layer.buildShape
  const build = buildShape === undefined ? {} : { build_config: { input_shape: buildShape } }
  if (findBuiltIn('keras.layers', className) && 'kerasConfig' in layer) {
    const config = (layer as ConfiguredLayer<Schema>).kerasConfig()
    return { module: 'keras.layers', class_name: className, config, registered_name: null, ...build }
  }
  const config = Object.fromEntries(Object.entries(layer.getConfig()).map(([key, value]) => [toKerasKey(key), value]))
  return { module: null, class_name: className, config, registered_name: registeredNameOf(layer.constructor) ?? className, ...build }
}

/** Makes a layer from the form of Keras's files. Only the library's classes and those the caller named are ever made. */
export function deserializeLayer(value: unknown, customObjects: CustomObjects): Layer {
  if (!isSerializedObject(value)) throw new ConfigError('expected a layer as Keras serializes it')
  const { module, class_name: className, registered_name: registeredName } = value
  const config = (value.config ?? {}) as Record<string, unknown>
  const custom = findCustom(registeredName, className, customObjects)
  if (custom) {
    const ours = Object.fromEntries(Object.entries(config).filter(([key]) => key !== 'dtype').map(([key, member]) => [toCamelCase(key), member]))
    return custom.fromConfig(ours) as Layer
  }
  const builtIn = typeof module === 'string' && isOfKeras(registeredName, className) ? findBuiltIn(module, className) : undefined
  if (!builtIn) {
    throw new ConfigError(
      `unknown layer class '${registeredName ?? className}' (module ${String(module)}) for layer '${String(config['name'])}'; ` +
        'register your own classes with registerSerializable or pass them as customObjects',
      { className, layer: config['name'] },
    )
  }
  const type = builtIn as { fromKerasConfig?(config: Record<string, unknown>, customObjects: CustomObjects): unknown }
  return (type.fromKerasConfig ? type.fromKerasConfig(config, customObjects) : builtIn.fromConfig(config)) as Layer
}

/** A registered name on a class of the library would be a disguise, except where Keras itself repeats the class's name. */
function isOfKeras(registeredName: string | null | undefined, className: string): boolean {
  return registeredName === null || registeredName === undefined || registeredName === className
}
