/**
 * Applying a primitive while tracing: infer the result's type, add the node, and turn a failed check into an error
 * that names the op, its operands and the line of the user's program.
 */
import { describeValue } from './describe-value.js';
import { ArgumentError, MeanflowError } from './errors.js';
import type { ArityOf, Operands, PrimitiveAttributes, PrimitiveName } from './ops/attributes.js';
import { meaningOf } from './ops/table.js';
import { Tensor } from './tensor.js';
import { formatType } from './types.js';

/**
 * Adds one primitive to the program.
 *
 * @param attributes the op's attributes, or a function that computes and checks them
 */
export function apply<K extends PrimitiveName>(
  op: K,
  inputs: Operands<ArityOf<K>, Tensor>,
  attributes: PrimitiveAttributes[K] | (() => PrimitiveAttributes[K]),
): Tensor {
  const operands: readonly Tensor[] = inputs;
  return inContext(op, operands, () => {
    const resolved = typeof attributes === 'function' ? attributes() : attributes;
    return Tensor.emit(op, operands, resolved, meaningOf(op).infer(operands, resolved));
  });
}

let depth = 0;

/**
 * Runs a check or a build step of the op that a user called. A diagnosis thrown inside is told which op, operands and
 * user line it is about; of ops made of others, the outermost speaks, for that is the one that the user wrote.
 */
export function inContext<T>(op: string, inputs: readonly unknown[], build: () => T): T {
  depth++;
  try {
    inputs.forEach(checkOperand);
    return build();
  } catch (error) {
    if (error instanceof MeanflowError && depth === 1) {
      const operands = inputs.map(describe).join(', ');
      const line = userLine(new Error().stack ?? '');
      const place = line === undefined ? '' : `\n    at ${line}`;
      error.message = `${op}(${operands}): ${error.message}${place}`;
    }
    throw error;
  } finally {
    depth--;
  }
}

function checkOperand(operand: unknown, position: number): void {
  if (operand instanceof Tensor || typeof operand === 'number') return;
  if (typeof operand === 'object' && operand !== null && 'node' in operand && 'dtype' in operand) {
    throw new ArgumentError(
      `operand ${position + 1} is a tensor of a second copy of @meanflow/core; install one version of it ` +
        '(`npm ls @meanflow/core` shows them).',
    );
  }
  throw new ArgumentError(`operand ${position + 1} is ${describeValue(operand)}, not a tensor.`);
}

/** An operand as it stands in messages: a tensor by its type, others by what they are. */
function describe(value: unknown): string {
  return value instanceof Tensor ? formatType(value) : describeValue(value);
}

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
