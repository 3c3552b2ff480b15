/** Declarations of what a backend does not support. A declaration has a reason, and is not a way to be wrong quietly. */
import { BackendError, type Backend, type Graph } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import type { Case, Unsupported } from './cases/case.js';

/** A backend that carries its own declarations. */
export interface DeclaringBackend extends Backend {
  readonly unsupported: readonly Unsupported[];
}

/** The declarations of a backend, where it has some. */
export function declarationsOf(backend: Backend): readonly Unsupported[] {
  return (backend as Partial<DeclaringBackend>).unsupported ?? [];
}

/** The first declaration by feature or id that covers a case: it is not run. */
export function findExemption(
  { id, op, features }: Case,
  declarations: readonly Unsupported[],
): Unsupported | undefined {
  return declarations.find(
    (declaration) =>
      (declaration.feature !== undefined || declaration.id !== undefined) &&
      (declaration.op === undefined || declaration.op === op) &&
      (declaration.feature === undefined || features.includes(declaration.feature)) &&
      (declaration.id === undefined || declaration.id === id),
  );
}

/** The declarations of whole ops that a graph needs: compiling it must be refused, by the name of one of them. */
export function findMissingOps(graph: Graph, declarations: readonly Unsupported[]): readonly WholeOp[] {
  const missing = wholeOps(declarations);
  if (missing.length === 0) return [];
  const needed = new Set<string>(prepare(graph).instructions.map(({ op }) => op));
  return missing.filter(({ op }) => needed.has(op));
}

/** The declaration of the op that an error refuses by name, of those that are given. */
export function findRefusedOp(error: unknown, declarations: readonly Unsupported[]): WholeOp | undefined {
  if (!(error instanceof BackendError)) return undefined;
  const words = new Set(error.message.match(/\w+/g));
  return wholeOps(declarations).find(({ op }) => words.has(op));
}

type WholeOp = Unsupported & { readonly op: string };

function wholeOps(declarations: readonly Unsupported[]): WholeOp[] {
  return declarations.flatMap((declaration) => {
    const { op, feature, id } = declaration;
    return op !== undefined && feature === undefined && id === undefined ? [{ ...declaration, op }] : [];
  });
}
