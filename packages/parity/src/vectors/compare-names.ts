/** Comparison of the names and shapes of a network's parameters with published lists; nothing is allocated. */
import { DataError, sameShape, sizeOf, type Shape } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import type { JsonValue } from '@meanflow/formats';
import { compareNumber } from './compare-outputs.js';
import type { TensorResult } from './parity-case.js';

/** Shapes by name. */
export type NamedShapes = ReadonlyMap<string, Shape>;

/** Something with a published name and shape. */
interface Named {
  readonly name: string;
  readonly shape: Shape;
}

/**
 * Shapes by name from JSON.
 *
 * @param where they stand, for the error
 * @throws {DataError} when it is something else
 */
export function namedShapes(where: string, value: JsonValue | undefined): NamedShapes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DataError(`${where} must hold shapes by name.`);
  }
  const isSize = (size: JsonValue) => Number.isSafeInteger(size) && (size as number) >= 0;
  return new Map(
    Object.entries(value).map(([name, shape]) => {
      if (Array.isArray(shape) && shape.every(isSize)) return [name, shape as number[]];
      throw new DataError(`${where}: "${name}" must be a list of sizes, got ${JSON.stringify(shape)}.`);
    }),
  );
}

/** Shapes without those of a list of names from JSON. @throws {DataError} when it is no list of names among them */
export function withoutNames(where: string, shapes: NamedShapes, absent: JsonValue | undefined): NamedShapes {
  if (!Array.isArray(absent)) throw new DataError(`${where} must be a list of names.`);
  const unknown = absent.find((key) => !shapes.has(String(key)));
  if (unknown !== undefined) {
    throw new DataError(`${where} names ${JSON.stringify(unknown)}, which is no parameter.`);
  }
  return new Map([...shapes].filter(([key]) => !absent.includes(key)));
}

/** How many names or shapes differ, in both directions; the first of them is named. */
export function compareNames(what: string, named: readonly Named[], published: NamedShapes): TensorResult {
  const ours = new Map(named.map(({ name, shape }) => [name, shape]));
  const differing = [...new Set([...ours.keys(), ...published.keys()])].filter((name) => {
    const [own, other] = [ours.get(name), published.get(name)];
    return own === undefined || other === undefined || !sameShape(own, other);
  });
  const describe = (shape: Shape | undefined) => (shape === undefined ? 'missing' : formatShape(shape));
  const [first] = differing;
  const place =
    first === undefined
      ? ''
      : ` (${first} is ${describe(ours.get(first))}, published ${describe(published.get(first))})`;
  return compareNumber(`${what}${place}`, differing.length, 0, 0);
}

/** The number of scalars. */
export function compareCount(
  what: string,
  named: readonly Pick<Named, 'shape'>[],
  published: number,
): TensorResult {
  const count = named.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return compareNumber(what, count, published, 0);
}
