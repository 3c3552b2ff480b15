/** Different optimizers for different parameters, as optax's `partition`: each sees the tree without the others' leaves. */
import { ArgumentError, treeFlatten, treePaths, type Shape, type Tensor, type Tree } from '@meanflow/core';
import type { GradientTransform, Updated } from './gradient-transform.js';

/**
 * @param choose the name of the transform for a parameter
 * @param transforms by name
 * @throws {ArgumentError} from the transform, when `choose` gives a name that is none of theirs
 */
export function partition<K extends string>(
  choose: (path: string, shape: Shape) => K,
  transforms: Readonly<Record<K, GradientTransform>>,
): GradientTransform {
  const names = Object.keys(transforms) as K[];
  const checked = (path: string, shape: Shape): K => {
    const name = choose(path, shape);
    if (!names.includes(name)) {
      throw new ArgumentError(`partition: "${path}" is for "${name}", which is none of ${names.join(', ')}.`);
    }
    return name;
  };
  /** The leaves of one transform, with nothing in place of the others. */
  const part = <L extends { readonly shape: Shape }>(tree: Tree<L>, name: K): Tree<L> => {
    const { structure } = treeFlatten<L>(tree);
    return structure.unflatten(
      treePaths<L>(tree).map(({ path, leaf }) => (checked(path, leaf.shape) === name ? leaf : undefined)),
    ) as Tree<L>;
  };
  const each = <V>(f: (transform: GradientTransform, name: K) => V) =>
    Object.fromEntries(names.map((name) => [name, f(transforms[name], name)])) as Record<K, V>;
  const withRate = names
    .map((name) => transforms[name])
    .find(({ learningRate }) => learningRate !== undefined);
  return {
    init: (params) => each((transform, name) => transform.init(part(params, name))),
    scalars: (step, rateScale) => each((transform) => transform.scalars(step, rateScale)),
    update<P extends Tree<Tensor>>(
      gradients: P,
      state: Tree<Tensor>,
      { params, scalars }: { readonly params: Tree<Tensor>; readonly scalars: Tree<Tensor> },
    ): Updated<P> {
      const results = each((transform, name) =>
        transform.update(part<Tensor>(gradients, name), (state as Record<K, Tree<Tensor>>)[name], {
          params: part<Tensor>(params, name),
          scalars: (scalars as Record<K, Tree<Tensor>>)[name],
        }),
      );
      const updates = new Map(
        names.flatMap((name) =>
          treePaths<Tensor>(results[name].updates).map(({ path, leaf }) => [path, leaf] as const),
        ),
      );
      const { structure } = treeFlatten<Tensor>(gradients);
      return {
        updates: structure.unflatten(structure.paths.map((path) => updates.get(path)!)) as P,
        state: each((_, name) => results[name].state),
        metrics: Object.fromEntries(names.flatMap((name) => Object.entries(results[name].metrics ?? {}))),
      };
    },
    ...(withRate && { learningRate: (step: number) => withRate.learningRate!(step) }),
  };
}
