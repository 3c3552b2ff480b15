/**
 * The checks of options and of choices by name, which are the same everywhere: an option that does not exist would
 * otherwise be passed over without a word (`adam({ lr: 0.1 })` trains at another rate than was meant).
 */
import { describeValue } from './describe-value.js';
import { ArgumentError } from './errors.js';
import { didYouMean } from './nearest-name.js';
import { quoted } from './printable.js';

/** Every key of any member of a union. */
type KeyOf<T> = T extends unknown ? keyof T & string : never;

/** The names of all options that an interface has; leaving one out does not compile. */
export type OptionNames<T> = Readonly<Record<KeyOf<T>, true>>;

/**
 * Checks that options are an object, and that each of them exists. One that is `undefined` counts as left out.
 *
 * @param what whose options they are, such as `adam`
 * @throws {ArgumentError} naming the option, and the one that was probably meant
 */
export function checkOptions<T extends object>(
  what: string,
  options: T | undefined,
  names: OptionNames<T>,
): void {
  if (options === undefined) return;
  const known = Object.keys(names);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `${what} takes an object of options ({ ${known.join(', ')} }), got ${describeValue(options)}.`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(names, name) || value === undefined) continue;
    const all = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
    throw new ArgumentError(`${what} has no option ${quoted(name)}; ${all}.${didYouMean(name, known)}`);
  }
}

/**
 * Checks that a value is one of a few.
 *
 * @param what which value it is, such as `mlp: activation`
 * @throws {ArgumentError} naming the value, all choices, and the one that was probably meant
 */
export function checkChoice(what: string, value: unknown, choices: readonly string[]): void {
  if (typeof value === 'string' && choices.includes(value)) return;
  const hint = typeof value === 'string' ? didYouMean(value, choices) : '';
  throw new ArgumentError(
    `${what} is one of ${choices.map((choice) => quoted(choice)).join(', ')}; got ${describeValue(value)}.${hint}`,
  );
}
