/**
 * packScalars: the numbers that change from step to step (a learning rate, a decay) in one small array. Each would
 * cost an upload of its own and one of the few buffers that a kernel may bind.
 */
import type { Program, ProgramNode, StorageId } from '../program/program.js';

export interface PackedScalars {
  /** The array that holds them, in this order. */
  readonly storage: StorageId;
  readonly names: readonly string[];
}

/** @param isKept inputs that must stay by themselves, because they are state on the device */
export function packScalars(
  program: Program,
  isKept: (name: string) => boolean,
): { program: Program; packed?: PackedScalars } {
  const isScalar = ({ name, value }: Program['inputs'][number]) =>
    value.dtype === 'float32' && value.shape.length === 0 && !isKept(name);
  const scalars = program.inputs.filter(isScalar);
  if (scalars.length < 2) return { program };
  const storage = program.storages;
  const array = { dtype: 'float32', shape: [scalars.length], storage } as const;
  const elements = scalars.map(({ value }, i): ProgramNode => ({
    op: 'slice',
    inputs: [array],
    attributes: { starts: [i], limits: [i + 1], strides: [1] },
    output: { dtype: 'float32', shape: [1], storage: value.storage! },
  }));
  return {
    program: { ...program, nodes: [...elements, ...program.nodes], storages: storage + 1 },
    packed: { storage, names: scalars.map(({ name }) => name) },
  };
}
