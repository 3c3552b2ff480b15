/**
 * Applying a primitive while tracing: infer the result's type, add the node, and turn a failed check into an error
 * that names the op, its operands and the line of the user's program.
 */
import { MeanflowError } from './errors.js';
import type { OpAttributes, PrimitiveName } from './ops/attributes.js';
import { opTable } from './ops/table.js';
import { Tensor } from './tensor.js';
import { formatType } from './types.js';

/**
 * Adds one primitive to the program.
 *
 * @param attributes the op's attributes, or a function that computes and checks them
 */
export function apply<K extends PrimitiveName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: OpAttributes[K] | (() => OpAttributes[K]),
): Tensor {
  return inContext(op, inputs, () => {
    const resolved = typeof attributes === 'function' ? (attributes as () => OpAttributes[K])() : attributes;
    const type = opTable[op].infer(inputs, resolved);
    return Tensor.emit(op, inputs, resolved as never, [type])[0];
  });
}

/** Runs a check or a build step; a diagnosis it throws is told which op, operands and user line it is about. */
export function inContext<T>(op: string, inputs: readonly unknown[], build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof MeanflowError && !located.has(error)) {
      const operands = inputs.map((input) => (input instanceof Tensor ? formatType(input) : String(input)));
      const line = userLine(error.stack ?? '');
      error.message = `${op}(${operands.join(', ')}): ${error.message}${line === undefined ? '' : `\n    at ${line}`}`;
      located.add(error);
    }
    throw error;
  }
}

const located = new WeakSet<MeanflowError>();

/** Where this package's code lives, read off the first frame of a stack made here. */
const ownDirectory =
  /((?:\/|[A-Za-z]:\\)[^():]*[\\/])[^\\/]*:\d+:\d+/.exec(new Error().stack ?? '')?.[1] ?? '';

/** The first stack frame outside this package: where the user asked for the op. */
function userLine(stack: string): string | undefined {
  for (const frame of stack.split('\n')) {
    const place = /(?:at |@)(?:.*\()?((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\).*?:\d+:\d+)\)?$/.exec(
      frame.trim(),
    )?.[1];
    if (place !== undefined && (ownDirectory === '' || !place.includes(ownDirectory)))
      return place.replace(/^file:\/\//, '');
  }
  return undefined;
}
