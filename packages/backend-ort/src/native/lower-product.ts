/** A product by strides as a node: the op `Product` of the library of kernels. */
import type { TensorType } from '@meanflow/core';
import { MEANFLOW_DOMAIN, type ValueName } from '../onnx/model.js';
import { ints, type ModelBuilder } from '../onnx/model-builder.js';
import type { StridedMatrix, StridedProduct } from './products.js';

/**
 * @param operands of which the product says where in them it reads
 * @param type of what is written
 * @param threads of the session
 * @returns the value that movements, where there were any, would have made of the product
 */
export function lowerProduct(
  builder: ModelBuilder,
  product: StridedProduct,
  operands: readonly ValueName[],
  type: TensorType,
  threads: number,
): ValueName {
  return builder.node('Product', operands, {
    domain: MEANFLOW_DOMAIN,
    attributes: { ...productAttributes(product, threads), shape: ints(type.shape) },
    type,
  });
}

/** What the library is told of a product. */
export function productAttributes(
  { alpha, batch, rows, columns, terms, a, b, c, d }: StridedProduct,
  threads: number,
) {
  const layout = (matrix: StridedMatrix) => ints([matrix.offset, matrix.row, matrix.column, ...matrix.batch]);
  return {
    sizes: ints([bitsOf(alpha), threads, rows, columns, terms, ...batch]),
    ...{ a: layout(a), b: layout(b), c: layout(c), ...(d && { d: layout(d) }) },
  };
}

/** The bits of a float32, as an integer. */
const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;
