/**
 * Activations as composites. Each derivative is written in closed form from values that the forward pass has anyway,
 * which is shorter than what differentiating the decomposition gives, and is shared by forward and reverse mode.
 */
import { add, erf, exp, less, log, abs, maximum, mul, neg, sigmoid, sub, tanh, where } from '../functions.js';
import { callComposite, type CompositeDefinition } from '../ops/composite.js';
import type { Tensor } from '../tensor.js';

type NoParameters = Readonly<Record<never, never>>;

function activation(
  name: string,
  value: (x: Tensor) => Tensor,
  derivative: (x: Tensor, y: Tensor) => Tensor,
): CompositeDefinition<NoParameters> {
  return {
    name,
    decompose: ([x]) => [value(x)],
    jvp: ({ inputs: [x], outputs: [y], tangents: [dx] }) => [mul(dx!, derivative(x, y))],
  };
}

export const siluDefinition = activation(
  'silu',
  (x) => mul(x, sigmoid(x)),
  // σ + y − yσ, with y = xσ.
  (x, y) => {
    const s = sigmoid(x);
    return add(s, sub(y, mul(y, s)));
  },
);

/** x · sigmoid(x), also called swish (Elfwing et al., 2017). */
export function silu(x: Tensor): Tensor {
  return callComposite(siluDefinition, [x], {})[0];
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;
const halfOnePlusTanh = (x: Tensor): Tensor => {
  const inner = mul(x, add(SQRT_2_OVER_PI, mul(SQRT_2_OVER_PI * GELU_CUBIC, mul(x, x))));
  return add(0.5, mul(0.5, tanh(inner)));
};

export const geluTanhDefinition = activation(
  'geluTanh',
  (x) => mul(x, halfOnePlusTanh(x)),
  // With s = ½(1 + tanh g): d(xs) = s + x · 2s(1 − s) · g′ and y = xs.
  (x, y) => {
    const s = halfOnePlusTanh(x);
    const slope = add(2 * SQRT_2_OVER_PI, mul(6 * SQRT_2_OVER_PI * GELU_CUBIC, mul(x, x)));
    return add(s, mul(mul(y, sub(1, s)), slope));
  },
);

const normalCdf = (x: Tensor): Tensor => add(0.5, mul(0.5, erf(mul(x, Math.SQRT1_2))));

export const geluDefinition = activation(
  'gelu',
  (x) => mul(x, normalCdf(x)),
  (x) => add(normalCdf(x), mul(x, mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(x, x)))))),
);

/**
 * The Gaussian error linear unit x · Φ(x) (Hendrycks and Gimpel, 2016).
 *
 * @param options.approximate `'tanh'` for the approximation that DiT uses
 */
export function gelu(x: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  return callComposite(options.approximate === 'tanh' ? geluTanhDefinition : geluDefinition, [x], {})[0];
}

export const softplusDefinition = activation(
  'softplus',
  (x) => add(maximum(x, 0), log(add(1, exp(neg(abs(x)))))),
  (x) => sigmoid(x),
);

/** log(1 + eˣ) without overflow. */
export function softplus(x: Tensor): Tensor {
  return callComposite(softplusDefinition, [x], {})[0];
}

export const reluDefinition: CompositeDefinition<NoParameters> = {
  name: 'relu',
  decompose: ([x]) => [maximum(x, 0)],
  jvp: ({ inputs: [x], tangents: [dx] }) => [where(less(0, x), dx!, 0)],
};

/** max(x, 0); its derivative is 0 at 0, as everywhere (that of `maximum` would be ½). */
export function relu(x: Tensor): Tensor {
  return callComposite(reluDefinition, [x], {})[0];
}
