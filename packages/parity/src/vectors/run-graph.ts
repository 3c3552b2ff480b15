/** One run of a function on a backend: trace, compile, run, read every output, free everything. */
import { trace, treePaths, type Backend, type HostArray, type Tensor, type Tree } from '@meanflow/core';

/**
 * @param f of trees of tensors
 * @param input its argument, whose structure the result's names follow
 * @returns every output by its path
 */
export async function runGraph<In extends Tree<HostArray>>(
  backend: Backend,
  name: string,
  f: (input: SymbolicInput<In>) => Tree<Tensor>,
  input: In,
): Promise<Record<string, HostArray>> {
  // The mapped type of a generic tree is more than the compiler can follow here.
  const traceUntyped = trace as (f: unknown, input: unknown, options: object) => ReturnType<typeof trace>;
  const { graph } = traceUntyped(f, input, { name });
  const executable = await backend.compile(graph);
  try {
    const outputs = await executable.run(flatTree(input));
    const read: Record<string, HostArray> = {};
    for (const [path, value] of Object.entries(outputs)) {
      read[path] = await value.read();
      value.dispose();
    }
    return read;
  } finally {
    await executable.dispose();
  }
}

/** The leaves of a tree by their paths. */
export function flatTree(tree: Tree<HostArray>): Record<string, HostArray> {
  return Object.fromEntries(treePaths<HostArray>(tree).map(({ path, leaf }) => [path, leaf]));
}

/** The outputs whose paths begin with `prefix/`, by the rest of their paths. */
export function outputsBelow(
  prefix: string,
  outputs: Readonly<Record<string, HostArray>>,
): Record<string, HostArray> {
  const start = `${prefix}/`;
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([path, array]) =>
      path.startsWith(start) ? [[path.slice(start.length), array]] : [],
    ),
  );
}

/** A tree of arrays with tensors for leaves. A tree of any form comes first: its branches go on for ever. */
export type SymbolicInput<T> = [Tree<HostArray>] extends [T]
  ? Tree<Tensor>
  : T extends HostArray
    ? Tensor
    : { readonly [K in keyof T]: SymbolicInput<T[K]> };
