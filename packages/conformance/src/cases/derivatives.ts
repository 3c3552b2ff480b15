/**
 * Derivatives of every differentiable op and composite. The graph is what core's `jvp` and `vjp` write; the oracle is finite
 * differences of the op's values in float64, so that a wrong derivative rule shows as well as a wrong lowering. Each
 * function is taken three ways: the tangent along random directions, the gradient of a random projection, and the gradient
 * of the projected tangent, which is what training MeanFlow differentiates.
 */
import {
  grad,
  jvp,
  mul,
  sin,
  stopGradient,
  sum,
  vjp,
  trace,
  treeLeaves,
  type Graph,
  type Tensor,
} from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import {
  DIFFERENCE_ERROR,
  differenceGradient,
  directionalDerivative,
} from '../numerics/finite-differences.js';
import type { NamedArrays } from '../numerics/tolerance.js';
import { nameArrays, specsOf, traceFlat, type TensorFunction } from './build.js';
import type { GraphCase, GraphCheck } from './case.js';
import { differentiableFunctions, type DifferentiableFunction } from './differentiable-functions.js';
import { floats } from './inputs.js';

type Mode = 'tangent' | 'gradient' | 'gradient of the tangent';

/** All of them. */
export function derivativeCases(): GraphCase[] {
  return [...ruleCases(), ...stopGradientCases()];
}

function ruleCases(): GraphCase[] {
  return differentiableFunctions().flatMap((entry) =>
    (['tangent', 'gradient', 'gradient of the tangent'] as const).map((mode): GraphCase => {
      const variant = entry.variant === undefined ? '' : `, ${entry.variant}`;
      return {
        kind: 'graph',
        id: `${entry.op}: ${mode}${variant}`,
        op: entry.op,
        aspect: 'derivatives',
        features: [],
        build: () => build(entry, mode),
      };
    }),
  );
}

/** Differences see through `stopGradient`; what its derivatives must be is known: x · sg(sin x) has the slope sin x. */
function stopGradientCases(): GraphCase[] {
  const f = (x: Tensor): Tensor => mul(x, stopGradient(sin(x)));
  const modes: Readonly<Record<Exclude<Mode, 'gradient of the tangent'>, TensorFunction>> = {
    tangent: (x, dx) => jvp(f, [x], [dx])[1],
    gradient: (x, c) => grad((y: Tensor) => sum(mul(f(y), c)))(x),
  };
  return Object.entries(modes).map(([mode, derivative]) => ({
    kind: 'graph',
    id: `stopGradient: ${mode}`,
    op: 'stopGradient',
    aspect: 'derivatives',
    features: [],
    build: () => {
      const inputs = nameArrays([floats([5]), floats([5], -1, 1, 'direction')]);
      const slope = traceFlat('slope', (x, direction) => mul(sin(x), direction), inputs);
      const graph = traceFlat(`stopGradient ${mode}`, derivative, inputs);
      return { graph, inputs, known: interpret(slope, inputs) };
    },
  }));
}

function build({ op, f, inputs: make }: DifferentiableFunction, mode: Mode): GraphCheck {
  const inputs = nameArrays(make());
  const wrt = Object.keys(inputs).filter((name) => inputs[name]!.dtype === 'float32');
  const tangents = Object.fromEntries(
    wrt.map((name) => [`d${name}`, floats(inputs[name]!.shape, -1, 1, `tangent ${name}`)]),
  );
  const primal = traceFlat(op, f, inputs);
  const names = Object.keys(inputs);
  const along: TensorFunction = (...given) => tangentOf(f, names, wrt, given);
  if (mode === 'tangent') {
    const direction = Object.fromEntries(wrt.map((name) => [name, tangents[`d${name}`]!]));
    return {
      graph: traceFlat(`${op} tangent`, along, { ...inputs, ...tangents }),
      inputs: { ...inputs, ...tangents },
      known: directionalDerivative(primal, inputs, direction),
      oracleError: DIFFERENCE_ERROR,
    };
  }
  if (mode === 'gradient') return gradientCheck(op, f, primal, inputs, wrt);
  const all = { ...inputs, ...tangents };
  return gradientCheck(`${op} tangent`, along, traceFlat(`${op} tangent`, along, all), all, wrt);
}

/** The tangents of all float results, given the inputs and then the tangents of `wrt`. */
function tangentOf(
  f: TensorFunction,
  names: readonly string[],
  wrt: readonly string[],
  given: readonly Tensor[],
): Tensor[] {
  const primals = given.slice(0, names.length);
  const directions = names.map((name) => {
    const at = wrt.indexOf(name);
    return at < 0 ? 0 : given[names.length + at];
  });
  const [, tangent] = jvp(
    (...x: Tensor[]): Tensor[] => [f(...x)].flat() as Tensor[],
    primals,
    directions as never,
  );
  return treeLeaves<Tensor>(tangent);
}

/** The gradient of Σ cotangent · f in `wrt`. */
function gradientCheck(
  op: string,
  f: TensorFunction,
  primal: Graph,
  inputs: NamedArrays,
  wrt: readonly string[],
): GraphCheck {
  const cotangents = Object.fromEntries(
    primal.outputs.map(({ name, value }) => [
      `c${name}`,
      floats(primal.types[value]!.shape, -1, 1, `cotangent ${name}`),
    ]),
  );
  const names = Object.keys(inputs);
  const all = { ...inputs, ...cotangents };
  const { graph } = trace(
    (given: Readonly<Record<string, Tensor>>) => {
      const [, pull] = vjp(
        (...x: Tensor[]): Tensor[] => [f(...x)].flat() as Tensor[],
        names.map((name) => given[name]!),
      );
      const pulled = pull(primal.outputs.map(({ name }) => given[`c${name}`]!));
      return Object.fromEntries(wrt.map((name) => [name, pulled[names.indexOf(name)]]));
    },
    specsOf(all),
    { name: `${op} gradient` },
  );
  const byOutput = Object.fromEntries(primal.outputs.map(({ name }) => [name, cotangents[`c${name}`]!]));
  return {
    graph,
    inputs: all,
    known: differenceGradient(primal, inputs, wrt, byOutput),
    oracleError: DIFFERENCE_ERROR,
  };
}
