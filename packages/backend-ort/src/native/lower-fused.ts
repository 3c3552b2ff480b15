/** Fused calls as nodes: the op `Fused` of the library of kernels, and `FusedProduct` where a product is within one. */
import type { TensorType } from '@meanflow/core';
import { builtInComposite, type CompositeCall, type Program } from '@meanflow/core/backend';
import { MEANFLOW_DOMAIN, type ValueName } from '../onnx/model.js';
import { ints, type ModelBuilder } from '../onnx/model-builder.js';
import { encodeBody, type InputPlace } from './fused/encode.js';
import { productAttributes } from './lower-product.js';
import type { StridedProduct } from './products.js';

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

/** The rows that the body of a call that the library computes goes over, and the elements of one. */
export function bodySpace(call: CompositeCall): { readonly rows: number; readonly row: number } {
  const [, rows, row] = encodedBody(call)!;
  return { rows: Number(rows), row: Number(row) };
}

/** What a node reads for an input of the call: the value, and where in it the elements lie; as the type says, by default. */
export interface FusedOperand {
  readonly memory: ValueName;
  readonly place: InputPlace | undefined;
}

const bodyOf = (call: CompositeCall, operands: readonly FusedOperand[]): readonly bigint[] =>
  operands.every(({ place }) => place === undefined)
    ? encodedBody(call)!
    : encodeBody(call.body, operands.map(({ place }) => place))!; // prettier-ignore

export function lowerFused(
  builder: ModelBuilder,
  call: CompositeCall,
  operands: readonly FusedOperand[],
  types: readonly TensorType[],
): readonly ValueName[] {
  const memories = operands.map(({ memory }) => memory);
  const attributes = { body: bodyOf(call, operands) };
  return builder.nodeOfMany('Fused', memories, types, { attributes, domain: MEANFLOW_DOMAIN });
}

/**
 * @param within the product, and which of the call's inputs it is
 * @param factors what the product reads
 * @param threads of the session
 */
export function lowerFusedProduct(
  builder: ModelBuilder,
  call: CompositeCall,
  within: { readonly product: StridedProduct; readonly input: number },
  factors: readonly ValueName[],
  operands: readonly FusedOperand[],
  types: readonly TensorType[],
  threads: number,
): readonly ValueName[] {
  const read = [...factors];
  const indices = operands.map(({ memory }, i) => (i === within.input ? -1 : read.push(memory) - 1));
  return builder.nodeOfMany('FusedProduct', read, types, {
    domain: MEANFLOW_DOMAIN,
    attributes: {
      ...productAttributes(within.product, threads),
      body: bodyOf(call, operands),
      operands: ints(indices),
    },
  });
}
