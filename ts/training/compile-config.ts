import { ConfigError } from '../core/errors.ts'
import { show, toSnakeCase } from '../core/names.ts'
import { PythonFloat } from '../core/python-json.ts'
import { findCustom, isSerializedObject, registeredNameOf, type SerializedObject } from '../core/registry.ts'
import { toKerasObject, type Serializable } from '../core/serializable.ts'
import { isPlainObject } from '../core/tree.ts'
import { FunctionLoss } from '../losses/function-loss.ts'
import { getLoss, Loss } from '../losses/loss.ts'
import { FunctionMetric } from '../metrics/function-metric.ts'
import { getMetric, Metric } from '../metrics/metric.ts'
import { getOptimizer, Optimizer } from '../optimizers/optimizer.ts'
import type { Compiled, CompileOptions } from './compile.ts'
import { isByOutput } from './pair-with-outputs.ts'

/** What `compile` was given, in the form of Keras's files. */
export type CompileConfig = Record<string, unknown>

/** Functions and classes of the user's, by the names in a file. */
export type CustomCompileObjects = Readonly<Record<string, unknown>>

/** What `compile` was given, in the form of Keras's files. */
export function compileConfigOf(compiled: Compiled): CompileConfig {
  const { loss, lossWeights, metrics, weightedMetrics } = compiled.options
  return {
    optimizer: serialized(compiled.optimizer),
    loss: byName(compiled, loss),
    loss_weights: byName(compiled, lossWeights),
    metrics: byName(compiled, metrics),
    weighted_metrics: byName(compiled, weightedMetrics),
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: true,
  }
}

/** Keras pairs lists with outputs in sorted order, so lists of models whose outputs have names are written by name. */
function byName({ outputs }: Compiled, option: unknown): unknown {
  const named = Array.isArray(option) && outputs && outputs.flat.length > 1 && isPlainObject(outputs.structure)
  if (!named) return written(option)
  return Object.fromEntries(outputs.declared.map(({ name }, i) => [name, written(option[i])]))
}

function written(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'number') return new PythonFloat(value)
  if (typeof value === 'string') return /^[a-z]+[A-Z]/.test(value) ? toSnakeCase(value) : value
  if (isSerializedObject(value)) return value
  if (isByOutput(value)) {
    if (Array.isArray(value)) return value.map(written)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, written(member)]))
  }
  return serialized(value)
}

function serialized(value: unknown): SerializedObject {
  if (value instanceof FunctionLoss || value instanceof FunctionMetric) return serialized(value.body)
  const object = value as object
  if (isSerializable(object)) return toKerasObject(object)
  if (object instanceof Loss || object instanceof Metric || object instanceof Optimizer) {
    const name = object.constructor.name
    const config = 'getConfig' in object ? object.getConfig() : {}
    return { module: null, class_name: name, config, registered_name: registeredNameOf(object.constructor) ?? name }
  }
  const { name } = value as { readonly name: string }
  return { module: 'builtins', class_name: 'function', config: name, registered_name: name }
}

/** A class of the user's that extends one of the library's is not that one. */
function isSerializable(object: object): object is Serializable {
  return 'kerasType' in object && object.constructor.name === (object as Serializable).kerasType.className
}

/** The options of `compile` that one of Keras's files holds. */
export function compileOptionsFrom(
  config: Readonly<Record<string, unknown>>,
  customObjects: CustomCompileObjects,
): CompileOptions {
  const read = (value: unknown, make: (object: SerializedObject) => unknown): unknown => {
    if (isSerializedObject(value)) return custom(value, customObjects) ?? make(value)
    if (typeof value === 'string' && Object.hasOwn(customObjects, value)) return customObjects[value]
    if (Array.isArray(value)) return value.map((item) => read(item, make))
    if (isPlainObject(value))
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, read(member, make)]))
    return value
  }
  const options = {
    optimizer: read(config['optimizer'], getOptimizer),
    loss: read(config['loss'], getLoss),
    lossWeights: config['loss_weights'],
    metrics: read(config['metrics'], getMetric),
    weightedMetrics: read(config['weighted_metrics'], getMetric),
  }
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
  ) as CompileOptions
}

/** A function or an object of a class that the user brought. */
function custom(object: SerializedObject, customObjects: CustomCompileObjects): unknown {
  if (object.class_name === 'function') {
    const name = object.config as string
    const body = Object.hasOwn(customObjects, name) ? customObjects[name] : undefined
    if (typeof body === 'function') return body
    throw new ConfigError(
      `expected the function ${show(name)} of the file among the custom objects; give it there, or load without compiling`,
      { name },
    )
  }
  const type = findCustom(object.registered_name, object.class_name, customObjects)
  return type?.fromConfig((object.config ?? {}) as Record<string, unknown>)
}
