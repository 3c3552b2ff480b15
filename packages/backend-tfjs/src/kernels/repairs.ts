/**
 * Repairs: what each tfjs backend lacks or does otherwise than core defines it, and what it is built from instead.
 * This table is the whole list of differences between tfjs backends; everything else is the shared kernel table.
 */
import { sizeOf } from '@meanflow/core';
import { power, toInt32 } from '@meanflow/core/backend';
import type { NodeName, StoredValue } from '../program/program.js';
import { reshaped } from '../schedule.js';
import type { DeviceRepairs, Emit, EmitContext, Emitter } from './emitter.js';
import { erf, erfc } from './error-function.js';
import {
  elementwise,
  firstMaximum,
  gatherRows,
  movements,
  pairwise,
  scatterRows,
  sums,
} from './host-memory.js';

/** The repair for int32 operands, the shared kernel for floats. */
const forIntegers =
  <K extends 'mul' | 'div'>(op: K, repair: Emit<K>): Emit<K> =>
  (context) =>
    context.output.dtype === 'int32' ? repair(context) : context.emitter.plain(op, context);

const quotient = (a: number, b: number) => Math.trunc(a / b);

/** The value of an operand that is one known number. */
const knownScalar = ({ emitter }: EmitContext<NodeName>, operand: StoredValue): number | undefined =>
  emitter.schedule.knownScalar(operand.storage);

/**
 * XNNPACK's Maximum and Minimum return the first operand where the second is NaN, and whichever zero comes first.
 * A second operand that is a known number needs only the zero mended.
 */
const extremum =
  <K extends 'maximum' | 'minimum'>(op: K): Emit<K> =>
  (context) => {
    const { emitter, inputs, output } = context;
    if (output.dtype !== 'float32') return emitter.plain(op, context);
    const [first, second] = inputs;
    const swapped = knownScalar(context, first) !== undefined ? ([second, first] as const) : inputs;
    const [a, b] = swapped;
    const best = emitter.plain(op, { ...context, inputs: swapped });
    const float = (name: 'add' | 'sub', x: StoredValue, y: StoredValue) =>
      emitter.node(name, [x, y], {}, output);
    const bool = { dtype: 'bool', shape: output.shape } as const;
    const zero = emitter.scalar(0);
    const known = knownScalar(context, b);
    if (known !== undefined && !Number.isNaN(known)) {
      if (known !== 0) return best;
      // max(x, 0) is never −0, and min(x, −0) never 0.
      if (op === 'maximum' && Object.is(known, 0)) return float('add', best, zero);
    }
    const negated = (x: StoredValue) => emitter.node('neg', [x], {}, x);
    // Of two zeros: the sum is −0 only when both are, and the negated sum of negatives when either is.
    const ofZeros = op === 'maximum' ? float('add', a, b) : negated(float('add', negated(a), negated(b)));
    const areEqual = emitter.node('equal', [a, b], {}, bool);
    const isZero = emitter.node('equal', [a, zero], {}, { ...a, dtype: 'bool' });
    const bothZero = emitter.node('and', [areEqual, isZero], {}, bool);
    const mended = emitter.node('select', [bothZero, ofZeros, best], {}, output);
    const isNumber = emitter.node('equal', [b, b], {}, { ...b, dtype: 'bool' });
    return emitter.node('select', [isNumber, mended, b], {}, output);
  };

type Reduction = 'reduceSum' | 'reduceMax' | 'argMax';

/** The operand as rows `[results, elements]`, each of which is reduced: the kernels' own transposition is slow. */
function asRows(emitter: Emitter, x: StoredValue, axes: readonly number[]): StoredValue {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const shape = order.map((axis) => x.shape[axis]!);
  const long = order.filter((axis) => x.shape[axis]! > 1);
  const isInOrder = long.every((axis, i) => i === 0 || axis > long[i - 1]!);
  const moved = isInOrder
    ? x
    : emitter.node('transpose', [x], { permutation: order }, { dtype: x.dtype, shape });
  const elements = sizeOf(axes.map((axis) => x.shape[axis]!));
  return reshaped(moved, [sizeOf(shape) / elements, elements]);
}

const reductions: { readonly [K in Reduction]: Emit<K> } = {
  reduceSum: sums,
  reduceMax: ({ emitter, inputs: [x], attributes: { axes }, output }) => {
    const rows = asRows(emitter, x, axes);
    const result = { dtype: output.dtype, shape: [rows.shape[0]!] };
    return emitter.plain('reduceMax', { inputs: [rows], attributes: { axes: [1] }, output: result });
  },
  argMax: (context) => {
    const { emitter, inputs, attributes, output } = context;
    const rows = asRows(emitter, inputs[0], [attributes.axis]);
    const result = { dtype: output.dtype, shape: [rows.shape[0]!] };
    return firstMaximum({ ...context, inputs: [rows], output: result });
  },
};

/** What the kernels leave to the language that they are written in. */
const conversions: DeviceRepairs = {
  cast: (context) => {
    const isInteger = context.inputs[0].dtype === 'float32' && context.output.dtype === 'int32';
    return isInteger ? toIntegers(context) : context.emitter.plain('cast', context);
  },
  log1p: elementwise('log1p', Math.log1p),
  erfc: elementwise('erfc', erfc),
  gather: gatherRows,
  // Wasm's kernel writes wherever an index points, beyond its memory too.
  scatterAdd: scatterRows,
};

const toIntegers = elementwise('cast', toInt32);

const cpu: DeviceRepairs = {
  ...movements,
  ...reductions,
  ...conversions,
  // JavaScript multiplies int32 in float64, which rounds beyond 2⁵³.
  mul: forIntegers('mul', pairwise('mul', Math.imul)),
  div: forIntegers('div', pairwise('div', quotient)),
  // The kernel is accurate absolutely, and loses what is near 0.
  erf: elementwise('erf', erf),
  // JavaScript's power makes a NaN of 1 to the NaN.
  pow: pairwise('pow', power),
};

const wasm: DeviceRepairs = {
  ...movements,
  ...reductions,
  ...conversions,
  // The kernel divides int32 as float32.
  div: forIntegers('div', pairwise('div', quotient)),
  maximum: extremum('maximum'),
  minimum: extremum('minimum'),
};

/** By tfjs backend name. */
export const repairs: Readonly<Partial<Record<string, DeviceRepairs>>> = { cpu, wasm };
