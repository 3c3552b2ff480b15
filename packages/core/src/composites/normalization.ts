/**
 * Softmax and the normalisations as composites over the last axis. Their Jacobians are written once, in the
 * self-adjoint form that serves forward and reverse mode alike. Group normalisation is one of them, reshaped.
 */
import { checkOptions, type OptionNames } from '../check-options.js';
import { ArgumentError } from '../errors.js';
import { add, exp, max, mean, mul, reshape, rsqrt, stopGradient, sub, sum, div } from '../functions.js';
import { callComposite } from '../composite.js';
import type { CompositeDefinition, Tensor } from '../tensor.js';
import { sizeOf } from '../types.js';
import type { UnaryComposite } from './slope.js';
import { softmaxDerivative } from './softmax-derivative.js';

const KEEP = { keepDims: true } as const;

export const softmaxDefinition: UnaryComposite = {
  name: 'softmax',
  // Shifting by the maximum changes nothing but the range of the exponentials.
  decompose: ([x]) => {
    const e = exp(sub(x, stopGradient(max(x, -1, KEEP))));
    return [div(e, sum(e, -1, KEEP))];
  },
  jvp: ({ outputs: [y], tangents: [dx] }) => [softmaxDerivative(y, dx)],
};

/** Softmax over the last axis. A row with a NaN or an ∞, or of nothing but −∞, is NaN. */
export function softmax(x: Tensor): Tensor {
  return callComposite(softmaxDefinition, [x], {})[0];
}

type Normalization = CompositeDefinition<{ readonly epsilon: number }, readonly [Tensor], readonly [Tensor]>;

export const standardizeDefinition: Normalization = {
  name: 'layerNorm',
  decompose: ([x], { epsilon }) => {
    const { centered, scale } = moments(x, epsilon);
    return [mul(centered, scale)];
  },
  // dy = (dx − mean dx − y · mean(y dx)) / σ: symmetric in input and output.
  jvp: ({ inputs: [x], outputs: [y], tangents: [dx], parameters: { epsilon } }) => {
    const { scale } = moments(x, epsilon);
    const projected = mul(y, mean(mul(y, dx), -1, KEEP));
    return [mul(sub(sub(dx, mean(dx, -1, KEEP)), projected), scale)];
  },
};

function moments(x: Tensor, epsilon: number): { centered: Tensor; scale: Tensor } {
  const centered = sub(x, mean(x, -1, KEEP));
  return { centered, scale: rsqrt(add(mean(mul(centered, centered), -1, KEEP), epsilon)) };
}

export const rmsDefinition: Normalization = {
  name: 'rmsNorm',
  decompose: ([x], { epsilon }) => [mul(x, inverseRms(x, epsilon))],
  jvp: ({ inputs: [x], outputs: [y], tangents: [dx], parameters: { epsilon } }) => {
    const projected = mul(y, mean(mul(y, dx), -1, KEEP));
    return [mul(sub(dx, projected), inverseRms(x, epsilon))];
  },
};

function inverseRms(x: Tensor, epsilon: number): Tensor {
  return rsqrt(add(mean(mul(x, x), -1, KEEP), epsilon));
}

/** What a normalisation multiplies and adds after normalising; `[features]`, both optional. */
export interface Affine {
  readonly scale?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
}

export interface NormOptions extends Affine {
  readonly epsilon?: number;
}

export interface GroupNormOptions extends NormOptions {
  readonly groups: number;
}

const normOptions: OptionNames<NormOptions> = { scale: true, bias: true, epsilon: true };

function affine(x: Tensor, { scale, bias }: Affine): Tensor {
  const scaled = scale === undefined ? x : mul(x, scale);
  return bias === undefined ? scaled : add(scaled, bias);
}

/**
 * Layer normalisation over the last axis (Ba et al., 2016).
 *
 * @param options.epsilon added to the variance; 1e-6 by default
 */
export function layerNorm(x: Tensor, options: NormOptions = {}): Tensor {
  checkOptions<NormOptions>('layerNorm', options, normOptions);
  return affine(callComposite(standardizeDefinition, [x], { epsilon: options.epsilon ?? 1e-6 })[0], options);
}

/** Root-mean-square normalisation over the last axis (Zhang and Sennrich, 2019); no mean is subtracted. */
export function rmsNorm(x: Tensor, options: NormOptions = {}): Tensor {
  checkOptions<NormOptions>('rmsNorm', options, normOptions);
  return affine(callComposite(rmsDefinition, [x], { epsilon: options.epsilon ?? 1e-6 })[0], options);
}

/**
 * Group normalisation (Wu and He, 2018): each sample's channels in `groups` of neighbours, every group normalised over
 * its channels and all of space. It is layer normalisation of the groups laid out flat, which a backend may have whole.
 *
 * @param x `[batch, channels, ...space]`
 * @param options.groups a divisor of the number of channels
 * @param options.epsilon added to the variance; 1e-6 by default
 * @param options.scale with `bias`, what each channel is multiplied by, and what is added; `[channels]`
 * @throws {ArgumentError} when the channels do not divide into groups
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  checkOptions<GroupNormOptions>('groupNorm', options, { ...normOptions, groups: true });
  const { groups, epsilon = 1e-6, scale, bias } = options;
  const [batch = 0, channels = 0, ...space] = x.shape;
  if (x.rank < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ArgumentError(
      `groupNorm takes [batch, channels, ...space] and a divisor of channels, got ${x.toString()} and ${groups} groups.`,
    );
  }
  const rows = reshape(x, [batch, groups, sizeOf(x.shape.slice(1)) / groups]);
  const normalised = reshape(callComposite(standardizeDefinition, [rows], { epsilon })[0], x.shape);
  const perChannel = (values: Tensor | undefined): Tensor | undefined =>
    values && reshape(values, [channels, ...space.map(() => 1)]);
  return affine(normalised, { scale: perChannel(scale), bias: perChannel(bias) });
}
