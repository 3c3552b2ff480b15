/**
 * The classifier's network: a small convolutional network in the manner of VGG (Simonyan and Zisserman, 2015). Stages
 * of two 3×3 convolutions, each stage on half the resolution of the one before, down to 4 to 7 pixels; then a dense layer,
 * whose activations are the features that samples are judged by, and one more to the logits. No batch statistics, so
 * that an image's features depend on nothing but the image.
 */
import {
  ArgumentError,
  add,
  conv,
  HostArray,
  layerNorm,
  mean,
  reshape,
  silu,
  transpose,
  type Network,
  type RandomKey,
  type Shape,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import {
  initialiser,
  linear,
  linearParameters,
  ParameterSpec,
  type Described,
  type LinearParameters,
  type Parameter,
} from '@meanflow/models';

/** A classifier's network, as plain JSON. */
export interface ClassifierConfig {
  /** `[height, width, channels]`; the smaller side is at least 4, and halves to at most 15: 28 does, 17 does not. */
  readonly imageShape: readonly [height: number, width: number, channels: number];
  /** How images lie in memory: `[height, width, channels]` or `[channels, height, width]`. */
  readonly layout: 'nhwc' | 'nchw';
  readonly classCount: number;
  /** Channels of the last stage; each stage has twice those of the one before, and at least 8. 64 by default. */
  readonly width?: number;
  /** How many features there are. 64 by default. */
  readonly featureCount?: number;
}

type ConvolutionParameters = { readonly kernel: Parameter; readonly bias: Parameter };

export type ClassifierParameters = {
  readonly convolutions: readonly ConvolutionParameters[];
  readonly features: LinearParameters;
  readonly logits: LinearParameters;
};

/** What the network makes of images. */
export type ClassifierOutputs = {
  /** float32 `[batch, featureCount]` */
  readonly features: Tensor;
  /** float32 `[batch, classCount]`, before the softmax. */
  readonly logits: Tensor;
};

/** Images in, features and logits out. */
export interface ClassifierNetwork extends Network<ClassifierParameters, Tensor, ClassifierOutputs> {
  /** Shape of an image as it is taken. */
  readonly featureShape: Shape;
}

/** Pixels along the smaller side of the last stage: at least; at most, where sides become odd before. */
const LAST_SIDE = { least: 4, most: 15 } as const;
const KERNEL = 3;

/**
 * The network.
 *
 * @throws {ArgumentError} when the image's sides cannot be halved to what the last stage takes, or a size is not a positive whole number
 */
export function classifierNetwork(config: ClassifierConfig): ClassifierNetwork {
  const { imageShape, layout } = config;
  const [height, columns, channels] = imageShape;
  const specs = classifierParameterSpecs(config);
  return {
    featureShape: layout === 'nhwc' ? [height, columns, channels] : [channels, height, columns],
    init: initialiser(specs),
    apply: (params, images) => {
      let x = layout === 'nhwc' ? transpose(images, [0, 3, 1, 2]) : images;
      params.convolutions.forEach((parameters, i) => {
        if (i > 0 && i % 2 === 0) x = halve(x);
        x = silu(convolve(parameters, x));
      });
      const flat = reshape(x, [x.shape[0]!, -1]);
      const features = silu(layerNorm(linear(params.features, flat)));
      return { features, logits: linear(params.logits, features) };
    },
  };
}

/** The network's parameters without allocating them; throws as `classifierNetwork`. */
export function classifierParameterSpecs(config: ClassifierConfig): Described<ClassifierParameters> {
  const { imageShape, layout, classCount, width = 64, featureCount = 64 } = config;
  const [height, columns, channels] = imageShape;
  checkSizes({ classCount, width, featureCount, channels });
  if (!['nhwc', 'nchw'].includes(layout)) {
    throw new ArgumentError(`The layout of images is nhwc or nchw, got ${JSON.stringify(layout)}.`);
  }
  const stages = stagesOf(imageShape);
  const widths = Array.from({ length: stages }, (_, stage) =>
    Math.max(8, Math.round(width / 2 ** (stages - 1 - stage))),
  );
  const last = widths[stages - 1]! * ((height * columns) / 4 ** (stages - 1));
  return {
    convolutions: widths.flatMap((outputs, stage) => [
      convolutionParameters(stage === 0 ? channels : widths[stage - 1]!, outputs),
      convolutionParameters(outputs, outputs),
    ]),
    features: linearParameters(last, featureCount, 'xavier'),
    logits: linearParameters(featureCount, classCount, 'xavier'),
  };
}

/** Same-size convolution of `[batch, channels, height, width]`. */
function convolve({ kernel, bias }: Symbolic<ConvolutionParameters>, x: Tensor): Tensor {
  const padding = [1, 2].map(() => [1, 1] as const);
  return add(conv(x, kernel, { padding }), reshape(bias, [1, -1, 1, 1]));
}

/** The mean of each two by two pixels. */
function halve(x: Tensor): Tensor {
  const [batch, channels, height, width] = leading(x.shape, 4);
  return mean(reshape(x, [batch, channels, height / 2, 2, width / 2, 2]), [3, 5]);
}

/** He et al., 2015: normal with variance 2 / inputs. */
function convolutionParameters(inputs: number, outputs: number): Described<ConvolutionParameters> {
  const shape = [outputs, inputs, KERNEL, KERNEL];
  const deviation = Math.sqrt(2 / (inputs * KERNEL ** 2));
  const normal = (key: RandomKey): Parameter =>
    new HostArray(
      'float32',
      shape,
      key.normal(shape).data.map((value) => value * deviation),
    );
  const zeros = (): Parameter => new HostArray('float32', [outputs], new Float32Array(outputs));
  return { kernel: new ParameterSpec(shape, normal), bias: new ParameterSpec([outputs], zeros) };
}

function stagesOf(imageShape: Shape): number {
  let [height, width] = leading(imageShape, 2);
  let stages = 1;
  while (Math.min(height, width) >= 2 * LAST_SIDE.least && height % 2 === 0 && width % 2 === 0) {
    [height, width, stages] = [height / 2, width / 2, stages + 1];
  }
  const smaller = Math.min(height, width);
  if (imageShape.length !== 3 || !(smaller >= LAST_SIDE.least && smaller <= LAST_SIDE.most)) {
    throw new ArgumentError(
      `The classifier takes images whose smaller side can be halved to ${LAST_SIDE.least} … ${LAST_SIDE.most} pixels, ` +
        `such as 8, 16, 28, 32 or 64, got ${formatShape(imageShape)}.`,
    );
  }
  return stages;
}

function checkSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`classifier: ${name} is a positive whole number, got ${value}.`);
    }
  }
}
