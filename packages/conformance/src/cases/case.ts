/**
 * What a case of the kit is: data, until it is run. A graph case is a graph, inputs and (where the interpreter is not the
 * oracle) exact outputs; a behaviour case is a function that uses a backend and throws, or measures, what is wrong.
 */
import type { Backend, Graph } from '@meanflow/core';
import type { NamedArrays } from '../numerics/tolerance.js';

/** What a case looks at. */
export type Aspect =
  | 'values'
  | 'derivatives'
  | 'composites'
  | 'programs'
  | 'training'
  | 'sampling'
  | 'state'
  | 'lifetime'
  | 'errors';

/** Properties by which cases can be chosen, and declared unsupported. */
export type Feature =
  | 'float16'
  | 'int32'
  | 'bool'
  | 'rank-5'
  | 'zero-size'
  | 'broadcasting'
  | 'negative-axes'
  | 'layout'
  | 'nan'
  | 'infinity'
  | 'denormal'
  | 'signed-zero'
  | 'overflow'
  | 'large'
  | 'counters'
  | 'memory';

/**
 * What a backend does not support; a case is covered when every given field fits it.
 *
 * - `op` alone: the op cannot be compiled. It covers every graph that still holds the op after `prepare`; `compile` must
 *   refuse each of them with a `BackendError` that names the op, so that nothing wrong comes out. A case of what a backend
 *   does which is refused so cannot be carried out.
 * - with `feature` or `id`: those cases are not run.
 */
export interface Unsupported {
  readonly op?: string;
  readonly feature?: Feature;
  /** The id of one case. */
  readonly id?: string;
  /** Why, for the reader of a report. */
  readonly reason: string;
}

interface CaseFacts {
  /** Unique and stable, such as `add: [3,4] + [4]`. */
  readonly id: string;
  /** The op or composite by name, or what a behaviour case is about, such as `train step`: a row of the matrix. */
  readonly op: string;
  readonly aspect: Aspect;
  readonly features: readonly Feature[];
}

/** What a graph case compares. */
export interface GraphCheck {
  readonly graph: Graph;
  readonly inputs: NamedArrays;
  /** Exact outputs, found in another way than by interpreting the graph. */
  readonly known?: NamedArrays;
  /** Other inputs whose results are accepted too, element by element: denormals flushed to zero. */
  readonly alternative?: NamedArrays;
  /** The error of `known`, relative to its largest element or 1. */
  readonly oracleError?: number;
}

export interface GraphCase extends CaseFacts {
  readonly kind: 'graph';
  /** Traces the graph and draws the inputs; the same every time. */
  build(): GraphCheck;
}

/** What a behaviour case found. It throws on what is plainly wrong. */
export interface Finding {
  /** The worst error in units of its tolerance, for cases that compare numbers. */
  readonly worst?: number;
  readonly detail?: string | undefined;
  /** Why the case cannot be carried out on this backend: it lacks an optional interface. */
  readonly unsupported?: string;
}

export interface BehaviourCase extends CaseFacts {
  readonly kind: 'behaviour';
  /** @param unsupported what the backend is known not to support, for cases that choose what they do */
  check(backend: Backend, unsupported: readonly Unsupported[]): Promise<Finding>;
}

export type Case = GraphCase | BehaviourCase;
