/**
 * Softmax and the normalisations as composites over the last axis. Their Jacobians are written once, in the
 * self-adjoint form that serves forward and reverse mode alike.
 */
import { add, exp, max, mean, mul, rsqrt, stopGradient, sub, sum, div } from '../functions.js';
import { callComposite, type CompositeDefinition } from '../ops/composite.js';
import type { Tensor } from '../tensor.js';

const KEEP = { keepDims: true } as const;

const softmaxDefinition: CompositeDefinition<Readonly<Record<never, never>>> = {
  name: 'softmax',
  // Shifting by the maximum changes nothing but the range of the exponentials.
  decompose: ([x]) => {
    const e = exp(sub(x, stopGradient(max(x, -1, KEEP))));
    return [div(e, sum(e, -1, KEEP))];
  },
  jvp: ({ outputs: [y], tangents: [dx] }) => {
    const weighted = mul(dx!, y);
    return [sub(weighted, mul(y, sum(weighted, -1, KEEP)))];
  },
};

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  return callComposite(softmaxDefinition, [x], {})[0];
}

type Epsilon = { readonly epsilon: number };

const standardizeDefinition: CompositeDefinition<Epsilon> = {
  name: 'layerNorm',
  decompose: ([x], { epsilon }) => {
    const { centered, scale } = moments(x, epsilon);
    return [mul(centered, scale)];
  },
  // dy = (dx − mean dx − y · mean(y dx)) / σ: symmetric in input and output.
  jvp: ({ inputs: [x], outputs: [y], tangents: [dx], parameters: { epsilon } }) => {
    const { scale } = moments(x, epsilon);
    const projected = mul(y, mean(mul(y, dx!), -1, KEEP));
    return [mul(sub(sub(dx!, mean(dx!, -1, KEEP)), projected), scale)];
  },
};

function moments(x: Tensor, epsilon: number): { centered: Tensor; scale: Tensor } {
  const centered = sub(x, mean(x, -1, KEEP));
  return { centered, scale: rsqrt(add(mean(mul(centered, centered), -1, KEEP), epsilon)) };
}

const rmsDefinition: CompositeDefinition<Epsilon> = {
  name: 'rmsNorm',
  decompose: ([x], { epsilon }) => [mul(x, inverseRms(x, epsilon))],
  jvp: ({ inputs: [x], outputs: [y], tangents: [dx], parameters: { epsilon } }) => {
    const projected = mul(y, mean(mul(y, dx!), -1, KEEP));
    return [mul(sub(dx!, projected), inverseRms(x, epsilon))];
  },
};

function inverseRms(x: Tensor, epsilon: number): Tensor {
  return rsqrt(add(mean(mul(x, x), -1, KEEP), epsilon));
}

/** What a normalisation multiplies and adds after normalising; `[features]`, both optional. */
export interface Affine {
  readonly scale?: Tensor;
  readonly bias?: Tensor;
}

function affine(x: Tensor, { scale, bias }: Affine): Tensor {
  const scaled = scale === undefined ? x : mul(x, scale);
  return bias === undefined ? scaled : add(scaled, bias);
}

/**
 * Layer normalisation over the last axis (Ba et al., 2016).
 *
 * @param options.epsilon added to the variance; 1e-6 by default
 */
export function layerNorm(x: Tensor, options: Affine & { readonly epsilon?: number } = {}): Tensor {
  return affine(callComposite(standardizeDefinition, [x], { epsilon: options.epsilon ?? 1e-6 })[0], options);
}

/** Root-mean-square normalisation over the last axis (Zhang and Sennrich, 2019); no mean is subtracted. */
export function rmsNorm(x: Tensor, options: Affine & { readonly epsilon?: number } = {}): Tensor {
  return affine(callComposite(rmsDefinition, [x], { epsilon: options.epsilon ?? 1e-6 })[0], options);
}
