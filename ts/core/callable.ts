/** An object that is also a function: calling it calls its method `invokeCall`. */
export abstract class Callable {
  constructor() {
    const self = ((...args: unknown[]) => (self as unknown as Callable).invokeCall(...args)) as unknown as Record<string, unknown>
    // A function's own name and length would hide the fields of the class.
    delete self['name']
    delete self['length']
    return Object.setPrototypeOf(self, new.target.prototype as object) as Callable
  }

  /** @internal */
  protected abstract invokeCall(...args: unknown[]): unknown
}

/** A class that makes its instances with or without `new`. */
export type Newless<C extends abstract new (...args: never[]) => unknown> = C &
  ((...args: ConstructorParameters<C>) => InstanceType<C>)

/** Lets a class be called without `new`. */
export function newless<C extends new (...args: never[]) => object>(type: C): Newless<C> {
  return new Proxy(type, {
    apply: (target, _, args) => Reflect.construct(target, args),
  }) as unknown as Newless<C>
}
