/** What an op of random programs is: a weight, and a function that proposes calls of it on values of a pool. */
import type { Tensor } from '@meanflow/core';
import type { Draft, Pool, PoolValue } from './pool.js';

export interface ProgramOp {
  readonly name: string;
  readonly weight: number;
  /** Whether it decides by its operands' numbers: not for programs that run again on what they made. */
  readonly decides: boolean;
  /** A call, or nothing where no value of the pool fits. */
  propose(pool: Pool): Draft | undefined;
}

export interface DraftOptions {
  readonly rounds?: boolean;
}

/** A call of one result that is written `op(operands, rest)`. */
export function call(
  op: string,
  operands: readonly PoolValue[],
  apply: (...operands: Tensor[]) => Tensor,
  { rest = [], rounds = false }: DraftOptions & { readonly rest?: readonly unknown[] } = {},
): Draft {
  const written = rest.map((argument) =>
    typeof argument === 'string' ? argument : JSON.stringify(argument),
  );
  return {
    op,
    operands,
    rounds,
    apply: (given) => [apply(...given)],
    write: (names) => `${op}(${[...names, ...written].join(', ')})`,
  };
}

/** An op; it decides nothing unless it is said otherwise. */
export const programOp = (
  name: string,
  weight: number,
  propose: ProgramOp['propose'],
  { decides = false }: { readonly decides?: boolean } = {},
): ProgramOp => ({ name, weight, propose, decides });
