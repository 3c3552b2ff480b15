/**
 * Activations as composites. Each derivative is written in closed form from values that the forward pass has anyway,
 * which is shorter than what differentiating the decomposition gives, and is shared by forward and reverse mode.
 */
import { checkChoice, checkOptions } from '../check-options.js';
import { abs, add, erfc, exp, less, log1p, maximum, mul, neg, sigmoid, sub, where } from '../functions.js';
import { callComposite } from '../composite.js';
import type { Tensor } from '../tensor.js';
import { slope, type UnaryComposite } from './slope.js';

function activation(
  name: string,
  value: (x: Tensor) => Tensor,
  derivative: (x: Tensor, y: Tensor) => Tensor,
): UnaryComposite {
  return {
    name,
    decompose: ([x]) => [value(x)],
    jvp: ({ inputs: [x], outputs: [y], tangents: [dx] }) => [mul(dx, derivative(x, y))],
  };
}

// σ + y − yσ, with y = xσ; its derivative is σ(x) σ(−x) · (2 + x (σ(−x) − σ(x))).
const siluSlope = slope(
  'siluSlope',
  (x) => {
    const s = sigmoid(x);
    const y = mul(x, s);
    return add(s, sub(y, mul(y, s)));
  },
  (x) => {
    const [s, t] = [sigmoid(x), sigmoid(neg(x))];
    return mul(mul(s, t), add(2, mul(x, sub(t, s))));
  },
);

export const siluDefinition = activation('silu', (x) => mul(x, sigmoid(x)), siluSlope);

/** x · sigmoid(x), also called swish (Elfwing et al., 2017). */
export function silu(x: Tensor): Tensor {
  return callComposite(siluDefinition, [x], {})[0];
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;
const GELU_SLOPE = 2 * SQRT_2_OVER_PI;

/** ½ (1 + tanh g) = σ(2g), of which nothing is lost where it is small, for g = √(2/π) (x + 0.044715 x³). */
const twiceInner = (x: Tensor): Tensor => mul(x, add(GELU_SLOPE, mul(GELU_SLOPE * GELU_CUBIC, mul(x, x))));

// With s = σ(2g) and t = σ(−2g): (xs)′ = s + x s t u for u = 2g′, and (xs)″ = s t (2u + x u² (t − s) + x u′).
const geluTanhSlope = slope(
  'geluTanhSlope',
  (x) => {
    const s = sigmoid(twiceInner(x));
    const u = add(GELU_SLOPE, mul(3 * GELU_SLOPE * GELU_CUBIC, mul(x, x)));
    return add(s, mul(mul(mul(x, s), sub(1, s)), u));
  },
  (x) => {
    const inner = twiceInner(x);
    const [s, t] = [sigmoid(inner), sigmoid(neg(inner))];
    const u = add(GELU_SLOPE, mul(3 * GELU_SLOPE * GELU_CUBIC, mul(x, x)));
    const bend = add(mul(mul(u, u), sub(t, s)), mul(6 * GELU_SLOPE * GELU_CUBIC, x));
    return mul(mul(s, t), add(mul(2, u), mul(x, bend)));
  },
);

export const geluTanhDefinition = activation(
  'geluTanh',
  (x) => mul(x, sigmoid(twiceInner(x))),
  geluTanhSlope,
);

/** ½ erfc(−x / √2), of which nothing is lost where it is small. */
const normalCdf = (x: Tensor): Tensor => mul(0.5, erfc(mul(x, -Math.SQRT1_2)));

export const geluDefinition = activation(
  'gelu',
  (x) => mul(x, normalCdf(x)),
  (x) => add(normalCdf(x), mul(x, mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(x, x)))))),
);

export interface GeluOptions {
  readonly approximate?: 'none' | 'tanh';
}

/**
 * The Gaussian error linear unit x · Φ(x) (Hendrycks and Gimpel, 2016).
 *
 * @param options.approximate `'tanh'` for the approximation that DiT uses
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkOptions<GeluOptions>('gelu', options, { approximate: true });
  const { approximate = 'none' } = options;
  checkChoice('gelu: approximate', approximate, ['none', 'tanh']);
  return callComposite(approximate === 'tanh' ? geluTanhDefinition : geluDefinition, [x], {})[0];
}

export const softplusDefinition = activation(
  'softplus',
  (x) => add(maximum(x, 0), log1p(exp(neg(abs(x))))),
  (x) => sigmoid(x),
);

/** log(1 + eˣ) without overflow, and without loss where it is small. */
export function softplus(x: Tensor): Tensor {
  return callComposite(softplusDefinition, [x], {})[0];
}

export const reluDefinition: UnaryComposite = {
  name: 'relu',
  decompose: ([x]) => [maximum(x, 0)],
  jvp: ({ inputs: [x], tangents: [dx] }) => [where(less(0, x), dx, 0)],
};

/** max(x, 0); its derivative is 0 at 0, as everywhere (that of `maximum` would be ½). */
export function relu(x: Tensor): Tensor {
  return callComposite(reluDefinition, [x], {})[0];
}
