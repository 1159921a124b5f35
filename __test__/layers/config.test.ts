import { readdirSync } from 'node:fs'
import test from 'ava'
import { parsePython, stringifyPython } from '../../ts/core/python-json.ts'
import { findBuiltIn, isSerializedObject } from '../../ts/core/registry.ts'
import type { ConfiguredLayer } from '../../ts/layers/configured.ts'
import type { Schema } from '../../ts/core/schema.ts'
import { golden } from '../helpers/golden.ts'
import { makeLayer, type LayerCase } from './case.ts'

const files = readdirSync(new URL('../golden/layers', import.meta.url))

/** Keras's way of writing what means the same: options left at `null`, also those of a layer inside. */
function comparable(config: Record<string, unknown>): Record<string, unknown> {
  const written = Object.entries(config).filter(([key, value]) => !(key === 'activity_regularizer' && value === null) && !(key === 'weights' && value === null))
  return Object.fromEntries(
    written.map(([key, value]) => {
      const isLayer = isSerializedObject(value) && value.module === 'keras.layers'
      return [key, isLayer ? { ...value, config: comparable(value.config as Record<string, unknown>) } : value]
    }),
  )
}

for (const file of files) {
  const cases = golden<LayerCase[]>(`layers/${file}`)
  const className = cases[0]?.config.class_name ?? ''
  if (!findBuiltIn('keras.layers', className)) continue
  test(`${className}: the configuration that Keras wrote comes back`, (t) => {
    for (const stored of cases) {
      const layer = makeLayer(stored) as ConfiguredLayer<Schema>
      const written = parsePython(stringifyPython(layer.kerasConfig()), className) as Record<string, unknown>
      t.deepEqual(JSON.parse(JSON.stringify(comparable(written))), sorted(comparable(stored.config.config), written), stored.name)
    }
  })
  test(`${className}: fromConfig makes the layer again`, (t) => {
    for (const stored of cases) {
      const layer = makeLayer(stored)
      const config = JSON.parse(JSON.stringify(layer.getConfig())) as Record<string, unknown>
      const type = layer.constructor as unknown as { fromConfig(config: object): typeof layer }
      t.deepEqual(JSON.parse(JSON.stringify(type.fromConfig(config).getConfig())), config, stored.name)
    }
  })
}

function sorted(config: Record<string, unknown>, like: Record<string, unknown>): Record<string, unknown> {
  const keys = [...new Set([...Object.keys(like), ...Object.keys(config)])]
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(config, key)).map((key) => [key, config[key]]))
}
