/** What an unpickler builds: plain containers, the marks of the few globals that it knows, and of all others what they hold. */

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
  /**
   * What calling it gives; absent for what may be named but not called.
   *
   * @throws {PassOver} when it makes something that is not read here
   * @throws {PickleProblem} when its arguments are damaged
   */
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** A global on the stack. */
export class GlobalReference {
  constructor(
    /** Module and name, such as `collections.OrderedDict`. */
    readonly name: string,
    /** Undefined for one of all others: it is named, and whatever calls it makes an `UnknownObject`. */
    readonly known: KnownGlobal | undefined,
  ) {}
}

/**
 * What a pickle would have made by calling something that is not known here. Nothing is called. What it was to be made from is
 * kept, since weights may lie in it: in the attributes of a module that was pickled whole, in a dictionary of a class of its own.
 */
export class UnknownObject implements Buildable {
  /** Arguments and states, as they were given: tuples, dictionaries, other objects. */
  readonly parts: unknown[] = [];
  /** Elements and items that were added after it was made. */
  readonly items: (readonly [key: unknown, value: unknown])[] = [];

  constructor(
    /** The class or function that was to make it, or what it is in words. */
    readonly name: string,
    args?: unknown,
  ) {
    if (args !== undefined) this.parts.push(args);
  }

  build(state: unknown): void {
    this.parts.push(state);
  }
}

/** What is wrong with a pickle, before it is known where it was read from. */
export class PickleProblem extends Error {
  override get name(): string {
    return 'PickleProblem';
  }
}

/** Nothing is wrong with a pickle, but it makes what is not read here, such as a sparse tensor; the message says what that is. */
export class PassOver extends Error {
  override get name(): string {
    return 'PassOver';
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
