/** Declarations of what a backend does not support. A declaration has a reason, and is not a way to be wrong quietly. */
import type { Backend, Graph } from '@meanflow/core';
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

/** The first declaration of a whole op that a graph needs: compiling it must be refused. */
export function findMissingOp(graph: Graph, declarations: readonly Unsupported[]): Unsupported | undefined {
  const whole = declarations.filter(
    ({ op, feature, id }) => op !== undefined && feature === undefined && id === undefined,
  );
  if (whole.length === 0) return undefined;
  const needed = new Set<string>(prepare(graph).instructions.map(({ op }) => op));
  return whole.find(({ op }) => needed.has(op!));
}
