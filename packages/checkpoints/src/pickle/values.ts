/** What an unpickler builds: plain containers, and the marks of the few globals that it knows. */

/** A Python tuple. Lists are arrays, dictionaries are maps, sets are sets. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** An object that takes a state after it is made (`__setstate__`, or its attributes). */
export interface Buildable {
  build(state: unknown): void;
}

/** An object with attributes and nothing else, such as the arguments of a program. */
export class Attributes implements Buildable {
  readonly values = new Map<unknown, unknown>();

  build(state: unknown): void {
    if (!(state instanceof Map)) throw new PickleProblem('the attributes of an object are not a dictionary');
    for (const [key, value] of state) this.values.set(key, value);
  }
}

/** What a global stands for here: never the function or class itself. */
export interface KnownGlobal {
  /** What calling it gives; absent for what may be named but not called. */
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** A global on the stack. */
export class GlobalReference {
  constructor(
    /** Module and name, such as `collections.OrderedDict`. */
    readonly name: string,
    readonly known: KnownGlobal,
  ) {}
}

/** What is wrong with a pickle, before it is known where it was read from. */
export class PickleProblem extends Error {
  override get name(): string {
    return 'PickleProblem';
  }
}

/** Whether a value takes a state. */
export function isBuildable(value: unknown): value is Buildable {
  return typeof value === 'object' && value !== null && 'build' in value && typeof value.build === 'function';
}

/** How much a call can copy of what it is given: items, and what is in each of them. */
export function contentOf(given: unknown): number {
  const items = given instanceof Tuple ? given.items : [given];
  return items.reduce<number>((sum, item) => sum + 1 + lengthOf(item), 0);
}

function lengthOf(value: unknown): number {
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  const hasLength = typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value);
  return hasLength ? value.length : 0;
}
