/**
 * An imported model as the pieces of a file: one tensor after another is read, turned to our layout, converted and handed
 * on, so that no more than one of them is in memory.
 */
import { DataError, sizeOf } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { stridesOf } from '@meanflow/core/backend';
import { byteLength, type StoredTensor } from '@meanflow/formats';
import {
  storedDTypes,
  type Pieces,
  collect,
  gather,
  safetensorsLayout,
  safetensorsParts,
  type FilePart,
} from '@meanflow/formats/build';
import { layoutPermutation, publishedShape, type PublishedParameter } from '@meanflow/models/published';
import { modelMetadata } from '../model/header.js';
import { checkBuffer } from './check-buffer.js';
import { convertFloats, weightNames, type WeightDType } from './convert.js';
import type { ImportPlan } from './plan.js';

/** What is told while importing. */
export interface ImportProgress {
  /** Parameters written so far, as scalars. */
  readonly done: number;
  readonly total: number;
}

/**
 * A model file, to be written in order, but for its header, which is written anew with the checksums at the end.
 *
 * @throws {DataError} when a tensor is damaged, holds what is not finite, or does not fit the dtype
 */
export async function* importedModel(
  plan: ImportPlan,
  dtype: WeightDType = 'float32',
  onProgress?: (progress: ImportProgress) => void,
): AsyncGenerator<FilePart> {
  for (const { expected, tensor } of plan.buffers) await checkBuffer(expected, tensor, plan);
  const byName = new Map(plan.parameters.map((planned) => [`params/${planned.parameter.path}`, planned]));
  const { name, description, parameterCount } = plan.target;
  const layout = safetensorsLayout(
    [...byName].map(([key, { parameter }]) => ({
      name: key,
      dtype: weightNames[dtype],
      shape: parameter.ownShape,
    })),
    modelMetadata({ name, description, origin: { format: plan.format, weights: plan.weights } }),
    { checksums: true },
  );
  let done = 0;
  yield* safetensorsParts(layout, async function* ({ name: key }) {
    const { parameter, tensor } = byName.get(key)!;
    const what = `${plan.source}: "${tensor.name}"`;
    yield* convertFloats(arranged(parameter, tensor, what), tensor.dtype, dtype, what);
    done += sizeOf(parameter.ownShape);
    onProgress?.({ done, total: parameterCount });
  });
}

/** The elements in our order. */
async function* arranged(
  { layout, ownShape }: PublishedParameter,
  tensor: StoredTensor,
  what: string,
): Pieces & AsyncGenerator<Uint8Array> {
  const permutation = layoutPermutation(layout);
  if (sizeOf(tensor.shape) !== sizeOf(ownShape)) {
    throw new DataError(`${what} does not become ${formatShape(ownShape)}.`);
  }
  if (permutation === undefined) {
    yield* tensor.pieces();
    return;
  }
  const strides = stridesOf(publishedShape(layout, ownShape));
  const bytes = await collect(tensor.pieces(), byteLength(tensor), what);
  const view = { shape: ownShape, strides: permutation.map((axis) => strides[axis]!), offset: 0 };
  yield* gather(bytes, storedDTypes[tensor.dtype].bytes, view);
}
