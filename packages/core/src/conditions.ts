/**
 * Conditions: tensors beside the label that tell a network what to make, such as the pixels that are known of an image, or some
 * columns of a table. A network declares them by name; data carries them row by row; this is the check of both, wherever
 * they meet, since a shifted or misshapen condition would be learnt, or sampled from, without a word.
 */
import { checkChoice } from './check-options.js';
import { describeValue } from './describe-value.js';
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import { HostArray } from './host-array.js';
import { didYouMean } from './nearest-name.js';
import { formatShape, sameShape, type Shape } from './types.js';

const ranks = { vector: 1, image: 3, sequence: 2, mask: undefined } as const;

/** `vector`: `[n]`. `image`: as the data's images. `sequence`: `[n, d]`. `mask`: 1 where something is known and 0 where not. */
export type ConditionKind = keyof typeof ranks;

/** A condition of one row, as a network takes it and data carry it: float32, plain JSON. */
export interface ConditionSpec {
  readonly kind: ConditionKind;
  /** Without the batch axis. */
  readonly shape: Shape;
  /**
   * Whether a row may be without it, which is then told apart from zeros. A network has to be trained so, by dropping it at
   * random or on rows that lack it. False by default.
   */
  readonly optional?: boolean | undefined;
}

/** Conditions by name. */
export type ConditionSpecs = Readonly<Record<string, ConditionSpec>>;

/** Conditions of many rows. */
export interface ConditionArrays {
  /** float32 `[rows, ...shape]` each; an optional one that is not there is absent from every row. */
  readonly conditions?: Readonly<Record<string, HostArray>> | undefined;
  /** float32 `[rows]`, 1 where the row has the condition and 0 where not; by default every row has those that are given. */
  readonly present?: Readonly<Record<string, HostArray>> | undefined;
}

/** Names of other inputs, which conditions stand beside. */
const reserved: readonly string[] = ['label', 'omega', 'tMin', 'tMax', 'guidance'];

/**
 * @param what where they are declared, such as `dit: conditions`
 * @throws {ArgumentError} when a name, a kind or a shape is none
 */
export function checkConditionSpecs(what: string, specs: ConditionSpecs): void {
  for (const [name, { kind, shape, optional }] of Object.entries(specs)) {
    if (!/^[A-Za-z][\w-]*$/.test(name) || reserved.includes(name)) {
      throw new ArgumentError(
        `${what}: "${name}" cannot name a condition: a name begins with a letter, has letters, digits, "_" and "-", ` +
          `and is not ${reserved.join(', ')}.`,
      );
    }
    checkChoice(`${what}.${name}: kind`, kind, Object.keys(ranks));
    const rank = ranks[kind];
    const isShape = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side > 0);
    if (!isShape || shape.length === 0 || (rank !== undefined && shape.length !== rank)) {
      throw new ArgumentError(
        `${what}.${name}: the shape of one row of a ${kind} is ${rank === undefined ? 'some' : rank} whole ` +
          `${rank === 1 ? 'number' : 'numbers'} from 1, got ${JSON.stringify(shape)}.`,
      );
    }
    if (optional !== undefined && typeof optional !== 'boolean') {
      throw new ArgumentError(`${what}.${name}: optional is true or false, got ${describeValue(optional)}.`);
    }
  }
}

/**
 * @param what whose they are, such as `sample` or `The batch of step 3`
 * @param specs what the network declares
 * @throws {ArgumentError} when one is unknown, missing or not finite, naming it and the row
 * @throws {ShapeError | DTypeError} when one is not float32 `[rows, ...shape]`
 */
export function checkConditions(
  what: string,
  { conditions = {}, present = {} }: ConditionArrays,
  specs: ConditionSpecs = {},
  rows: number,
): void {
  const names = Object.keys(specs);
  for (const name of [...Object.keys(conditions), ...Object.keys(present)]) {
    if (Object.hasOwn(specs, name)) continue;
    throw new ArgumentError(
      names.length === 0
        ? `${what}: the network takes no conditions, got "${name}".`
        : `${what}: the network has no condition "${name}"; it takes ${names.join(', ')}.${didYouMean(name, names)}`,
    );
  }
  for (const [name, { shape, optional = false }] of Object.entries(specs)) {
    const [given, presence] = [conditions[name], present[name]];
    if (given === undefined) {
      if (optional && presence === undefined) continue;
      throw new ArgumentError(
        optional
          ? `${what}: present.${name} says which rows have "${name}", which is not among the conditions.`
          : `${what}: the condition "${name}" is missing, and the network was not made to do without: ` +
              `give float32[${[rows, ...shape].join(', ')}], or make it optional and train with rows that lack it.`,
      );
    }
    checkRows(`${what}: conditions.${name}`, given, [rows, ...shape]);
    if (presence === undefined) continue;
    if (!optional) {
      throw new ArgumentError(
        `${what}: present.${name} is given, but every row has the condition "${name}".`,
      );
    }
    checkRows(`${what}: present.${name}`, presence, [rows]);
    const row = presence.data.findIndex((value: number) => value !== 0 && value !== 1);
    if (row === -1) continue;
    throw new ArgumentError(`${what}: present.${name} is 0 or 1, got ${presence.data[row]} in row ${row}.`);
  }
}

function checkRows(what: string, array: HostArray, shape: Shape): void {
  if (!(array instanceof HostArray) || array.dtype !== 'float32') {
    throw new DTypeError(`${what} is a HostArray float32[${shape.join(', ')}], got ${describeValue(array)}.`);
  }
  if (!sameShape(array.shape, shape)) {
    throw new ShapeError(
      `${what} must be [${shape.join(', ')}], the rows first, got ${formatShape(array.shape)}.`,
    );
  }
  const at = array.data.findIndex((value: number) => !Number.isFinite(value));
  if (at === -1) return;
  const row = Math.floor(at / Math.max(1, array.size / array.shape[0]!));
  throw new ArgumentError(`${what} has ${array.data[at]} in row ${row}, expected finite numbers.`);
}
