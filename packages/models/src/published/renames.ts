/**
 * Renaming by table: each row gives the beginning of a path in our tree and what it is called in published code. `#`
 * stands for an index, the same on both sides. What follows the beginning (`kernel`, `bias`) is kept.
 */
import { ArgumentError } from '@meanflow/core';

/** Rows of `[our path, published name]`. */
export type Renames = readonly (readonly [path: string, name: string])[];

/**
 * The published name of each path.
 *
 * @throws {ArgumentError} from the function returned, when no row fits a path
 */
export function renamer(renames: Renames): (path: string) => string {
  const rows = renames.map(([path, name]) => ({
    pattern: new RegExp(`^${path.replaceAll('#', '(\\d+)')}(?=/|$)`),
    name,
  }));
  return (path) => {
    for (const { pattern, name } of rows) {
      const match = pattern.exec(path);
      if (match === null) continue;
      const indices = match.slice(1)[Symbol.iterator]();
      return name.replaceAll('#', () => indices.next().value ?? '#') + path.slice(match[0].length);
    }
    throw new ArgumentError(`The published code has no parameter for "${path}".`);
  };
}
