import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import { isPlainObject } from '../../core/tree.ts'
import type { Trainer } from '../trainer.ts'
import { Callback, type CallbackHooks, type CallbackParams } from './callback.ts'
import { LambdaCallback } from './lambda-callback.ts'

/** One callback or several; an object of functions is as good as a callback. */
export type CallbacksInput = Callback | CallbackHooks | readonly (Callback | CallbackHooks)[]

type HookName = keyof CallbackHooks
type AnyHook = (...args: unknown[]) => void | Promise<void>

/** The callbacks that a caller gave. */
export function callbacksOf(given: CallbacksInput | undefined): Callback[] {
  const list = given === undefined || given === null ? [] : Array.isArray(given) ? given : [given]
  return list.map((item: unknown) => {
    if (item instanceof Callback) return item
    if (isPlainObject(item)) return new LambdaCallback(checkHooks(item))
    throw new ConfigError(
      `expected callbacks: objects of a class that extends Callback, or objects of functions. Received: ${show(item)}`,
    )
  })
}

function checkHooks(hooks: Record<string, unknown>): CallbackHooks {
  const wrong = Object.keys(hooks).find(
    (key) => !(key in Callback.prototype) || !key.startsWith('on') || typeof hooks[key] !== 'function',
  )
  if (wrong !== undefined)
    throw new ConfigError(
      `expected functions such as onEpochEnd in an object of functions, received '${wrong}': ${show(hooks[wrong])}`,
    )
  return hooks as CallbackHooks
}

/** Calls a list of callbacks one after the other; only those that do something are called. */
export class CallbackList {
  readonly callbacks: readonly Callback[]
  readonly #hooks = new Map<HookName, AnyHook[]>()

  constructor(callbacks: readonly Callback[], trainer: Trainer, params: CallbackParams) {
    this.callbacks = callbacks
    for (const callback of callbacks) {
      callback.setParams(params)
      callback.setTrainer(trainer)
    }
  }

  /** Calls one hook of every callback. A promise only where one of them returned one. */
  call<Name extends HookName>(name: Name, ...args: Parameters<NonNullable<CallbackHooks[Name]>>): void | Promise<void> {
    const hooks = this.#overridden(name)
    for (let i = 0; i < hooks.length; i++) {
      const pending = hooks[i]?.(...args)
      if (pending instanceof Promise) return rest(pending, hooks.slice(i + 1), args)
    }
  }

  #overridden(name: HookName): AnyHook[] {
    const known = this.#hooks.get(name)
    if (known) return known
    const base = Callback.prototype
    // The two hooks of a training batch also reach the ones with the shorter name.
    const shorter = name === 'onTrainBatchBegin' ? 'onBatchBegin' : name === 'onTrainBatchEnd' ? 'onBatchEnd' : name
    const found = this.callbacks
      .filter((callback) => callback[name] !== base[name] || callback[shorter] !== base[shorter])
      .map((callback) => (callback[name] as AnyHook).bind(callback))
    this.#hooks.set(name, found)
    return found
  }
}

async function rest(pending: Promise<void>, hooks: readonly AnyHook[], args: unknown[]): Promise<void> {
  await pending
  for (const hook of hooks) await hook(...args)
}
