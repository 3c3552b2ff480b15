/** Fused calls as nodes of the native library's operator `Fused`. */
import type { TensorType } from '@meanflow/core';
import { builtInComposite, type CompositeCall, type Program } from '@meanflow/core/backend';
import { MEANFLOW_DOMAIN, type ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { encodeBody } from './fused/encode.js';

const encoded = new WeakMap<Program, readonly bigint[] | null>();

/** A body is encoded when it is asked whether there is a kernel for it, and again when it is lowered. */
function encodedBody({ body }: CompositeCall): readonly bigint[] | undefined {
  let words = encoded.get(body);
  if (words === undefined) encoded.set(body, (words = encodeBody(body) ?? null));
  return words ?? undefined;
}

export const isFused = (call: CompositeCall): boolean => builtInComposite(call) === 'fused';

/** Whether the library computes a fused call. */
export const canFuse = (call: CompositeCall): boolean => encodedBody(call) !== undefined;

/** @param operands where the elements lie; under which shape does not matter */
export function lowerFused(
  builder: ModelBuilder,
  call: CompositeCall,
  operands: readonly ValueName[],
  types: readonly TensorType[],
): readonly ValueName[] {
  const attributes = { body: encodedBody(call)! };
  return builder.nodeOfMany('Fused', operands, types, { attributes, domain: MEANFLOW_DOMAIN });
}
