/**
 * GradientTransform: an optimizer, or a part of one, in the shape of optax: `{ init, update }`, pure, its state a
 * tree. What depends on the step only (learning rate, bias corrections) is computed by `scalars` on the host in
 * float64 and enters the graph as scalar inputs, so that one compiled step serves all of training.
 */
import { add, treeZipMap, type HostArray, type Tensor, type Tree } from '@meanflow/core';

/** What `update` may look at besides the gradients and its state. */
export interface UpdateContext {
  /** The parameters before the update. */
  readonly params: Tree<Tensor>;
  /** This transform's `scalars(step)`, float32 scalars. */
  readonly scalars: Tree<Tensor>;
}

/** The result of an update. */
export interface Updated<P> {
  /** To be added to the parameters, or handed to the next transform. */
  readonly updates: P;
  /** The new state, of the structure that `init` made. */
  readonly state: Tree<Tensor>;
  /** Scalars worth showing, such as the gradient's norm. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
}

export interface GradientTransform {
  /** The state before the first update; `undefined` when there is none. */
  init(params: Tree<HostArray>): Tree<HostArray>;
  /**
   * What `update` needs to know of a step, computed in float64.
   *
   * @param step updates made before, from 0
   * @param rateScale what the learning rate is multiplied by, 1 by default: below it after a run went back
   */
  scalars(step: number, rateScale?: number): Tree<number>;
  /** Traced, pure. `gradients` has the structure of the parameters, and so has the result. */
  update<P extends Tree<Tensor>>(gradients: P, state: Tree<Tensor>, context: UpdateContext): Updated<P>;
  /** The learning rate of a step, where there is one: shown beside the loss. */
  learningRate?(step: number): number;
}

/** Applies transforms one after another: the updates of one are the gradients of the next. */
export function chain(...transforms: readonly GradientTransform[]): GradientTransform {
  const withRate = transforms.findLast(({ learningRate }) => learningRate !== undefined);
  return {
    init: (params) => transforms.map((transform) => transform.init(params)),
    scalars: (step, rateScale) => transforms.map((transform) => transform.scalars(step, rateScale)),
    update(gradients, state, { params, scalars }) {
      let updates = gradients;
      const states: Tree<Tensor>[] = [];
      const metrics: [string, Tensor][] = [];
      transforms.forEach((transform, i) => {
        const context = { params, scalars: childAt(scalars, i) };
        const result = transform.update(updates, childAt(state, i), context);
        updates = result.updates;
        states.push(result.state);
        metrics.push(...Object.entries(result.metrics ?? {}));
      });
      return { updates, state: states, metrics: Object.fromEntries(metrics) };
    },
    ...(withRate && { learningRate: (step: number) => withRate.learningRate!(step) }),
  };
}

/** The parameters after an update: p + u, leaf by leaf. */
export function applyUpdates<P extends Tree<Tensor>>(params: P, updates: P): P {
  return treeZipMap('applyUpdates', (param: Tensor, update: Tensor) => add(param, update), params, updates);
}

function childAt<L>(tree: Tree<L>, index: number): Tree<L> {
  return (tree as readonly Tree<L>[])[index];
}
