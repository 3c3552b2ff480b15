/** Trees of parameters from arrays under their published names. */
import { treeFlatten, type HostArray, type Tree } from '@meanflow/core';
import { arrangePublished, type PublishedParameter } from '../src/published.js';

/** @param specs the tree of parameters to be made */
export function treeOfPublished<P>(
  specs: unknown,
  published: readonly PublishedParameter[],
  arrays: Readonly<Record<string, HostArray>>,
): P {
  const { structure } = treeFlatten(specs as Tree<unknown>);
  const byPath = new Map(published.map((parameter) => [parameter.path, parameter]));
  const leaves = structure.paths.map((path) => {
    const parameter = byPath.get(path);
    if (parameter === undefined || arrays[parameter.name] === undefined) {
      throw new Error(`There is no published array for "${path}" (${parameter?.name}).`);
    }
    return arrangePublished(parameter, arrays[parameter.name]);
  });
  const tree: unknown = structure.unflatten(leaves);
  return tree as P;
}
