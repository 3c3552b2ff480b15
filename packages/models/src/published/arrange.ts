/** Published arrays as ours: read in the published shape, axes moved where the layout says so. */
import { HostArray, ShapeError, sameShape, sizeOf } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { layoutPermutation, publishedShape, type PublishedParameter } from './published-parameter.js';

/**
 * A published array as a parameter of ours, rounded to float32.
 *
 * @throws {ShapeError} when the array does not have the published shape
 */
export function arrangePublished(
  { name, shape, ownShape, layout }: PublishedParameter,
  array: HostArray,
): HostArray<'float32'> {
  if (!sameShape(array.shape, shape)) {
    throw new ShapeError(`"${name}" is ${formatShape(array.shape)}, expected ${formatShape(shape)}.`);
  }
  const permutation = layoutPermutation(layout);
  if (permutation === undefined) return array.reshape(ownShape).to('float32');
  const from = publishedShape(layout, ownShape);
  const stride = from.map((_, axis) => sizeOf(from.slice(axis + 1)));
  const out = new Float32Array(array.size);
  const copy = (axis: number, source: number, target: number): number => {
    if (axis === ownShape.length) {
      out[target] = array.data[source]!;
      return target + 1;
    }
    let next = target;
    for (let i = 0; i < ownShape[axis]!; i++)
      next = copy(axis + 1, source + i * stride[permutation[axis]!]!, next);
    return next;
  };
  copy(0, 0, 0);
  return new HostArray('float32', ownShape, out);
}
