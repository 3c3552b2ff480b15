/** A convolution by strides as a node: the op `Convolution` of the library of kernels. */
import type { TensorType } from '@meanflow/core';
import { MEANFLOW_DOMAIN, type ValueName } from '../onnx/model.js';
import { ints, type ModelBuilder } from '../onnx/model-builder.js';
import type { StridedConvolution } from './convolutions.js';

/**
 * @param operands image and kernel, of which the convolution says where in them it reads
 * @param type of what is written
 * @param threads of the session
 * @returns the value that movements, where there were any, would have made of the convolution
 */
export function lowerConvolution(
  builder: ModelBuilder,
  { image, kernel, out, strides, gaps, before }: StridedConvolution,
  operands: readonly ValueName[],
  type: TensorType,
  threads: number,
): ValueName {
  const [, , outHeight, outWidth] = out.shape;
  const [features, , windowHeight, windowWidth] = kernel.shape;
  const window = [features, windowHeight, windowWidth];
  return builder.node('Convolution', operands, {
    domain: MEANFLOW_DOMAIN,
    attributes: {
      sizes: ints([threads, ...image.shape, ...window, outHeight, outWidth, ...strides, ...gaps, ...before]),
      image: ints([image.offset, ...image.strides]),
      kernel: ints([kernel.offset, ...kernel.strides]),
      out: ints(out.strides),
      shape: ints(type.shape),
    },
    type,
  });
}
