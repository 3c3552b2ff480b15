/** Fused calls: what becomes one call and what must not, that bodies have their form, and that values are kept. */
import fc from 'fast-check';
import {
  add,
  adamUpdate,
  cos,
  exp,
  gelu,
  grad,
  type HostArray,
  hostArray,
  jvp,
  layerNorm,
  mul,
  reshape,
  rsqrt,
  sin,
  softmax,
  spec,
  sub,
  sum,
  tanh,
  trace,
  transpose,
  type Graph,
  type Tensor,
} from '../../src/index.js';
import {
  builtInComposite,
  FUSED_LIMITS,
  fusedForm,
  interpret,
  prepare,
  simplify,
  type CompositeCall,
  type Program,
} from '../../src/backend-door.js';
import { expectClose, graphOf, runGraph, wave, type TensorFunction } from '../support/numeric.js';
import { programInputs, randomProgram, runProgram } from '../support/random-program.js';

const hasKernel = (call: CompositeCall) => builtInComposite(call) === 'fused';
const fused = (graph: Graph) => prepare(graph, { hasKernel });
const calls = (graph: Graph): CompositeCall[] =>
  graph.instructions.flatMap((instruction) =>
    instruction.op === 'composite' ? [instruction.attributes] : [],
  );

/** The forms of a function's fused calls, once they were seen to keep its value, whole and inlined. */
function fusedCalls(f: TensorFunction, inputs: readonly HostArray[]) {
  const graph = graphOf(f, inputs);
  const made = fused(graph);
  const expected = runGraph(graph, inputs).data;
  expectClose(runGraph(made, inputs).data, expected, 1e-13);
  expectClose(runGraph(simplify(made, { inline: () => true }), inputs).data, expected, 1e-13);
  const forms = calls(made).map(({ body }) => fusedForm(body));
  return { graph: made, forms, ops: made.stats().ops };
}

describe('fuse', () => {
  it('makes one call of AdamW with decay and an average of a parameter', () => {
    const inputs = ['parameter', 'gradient', 'mean', 'variance', 'average'].map((name) => [
      name,
      spec([5, 7]),
    ]);
    const { graph } = trace(
      ({ parameter, gradient, mean, variance, average }: Record<string, Tensor>) => {
        const [stepSize, epsilon] = [sum(mul(0.01, gradient)), 1e-3];
        const next = adamUpdate(
          { gradient, mean, variance, stepSize, epsilon: add(mul(stepSize, 0), epsilon) },
          { beta1: 0.9, beta2: 0.95 },
        );
        const moved = add(mul(parameter, 0.99), next.update);
        return { moved, ...next, average: add(mul(average, 0.9), mul(moved, 0.1)) };
      },
      Object.fromEntries(inputs) as Record<string, ReturnType<typeof spec>>,
    );
    const made = fused(graph);
    const large = calls(made).filter(({ body }) => fusedForm(body).space.length === 2);
    expect(large).toHaveLength(1);
    // The decay of the moments waits for the gradient.
    expect(made.stats().ops['mul']).toBeUndefined();
    const values = Object.fromEntries(
      graph.inputs.map(({ name }, i) => [
        name,
        hostArray(
          Array.from({ length: 35 }, (_, k) => 1 + Math.sin(i + k) / 2),
          { shape: [5, 7] },
        ),
      ]),
    );
    const [expected, actual] = [interpret(graph, values), interpret(made, values)];
    for (const name of Object.keys(expected)) expectClose(actual[name].data, expected[name].data, 1e-13);
  });

  it('makes one call of GELU with its slope and its tangent', () => {
    const tangent = (x: Tensor) => jvp((t: Tensor) => gelu(t, { approximate: 'tanh' }), [x], [cos(x)]);
    const { ops } = fusedCalls((x) => tangent(x).reduce((a, b) => mul(a, b)), [wave([3, 4])]);
    expect(ops).toEqual({ fused: 1 });
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ['layer normalisation', (x) => layerNorm(x)],
    ['softmax', softmax],
  ])('makes one call of %s, its tangent, modulation and residual', (_, normalise) => {
    const { graph, forms } = fusedCalls(
      (x, scale, dx) => {
        const [y, dy] = jvp(normalise, [x], [dx]);
        return add(x, add(mul(y, add(1, scale)), dy));
      },
      [wave([2, 3, 8]), wave([2, 1, 8]), wave([2, 3, 8], 2)],
    );
    expect(forms).toEqual([{ space: [2, 3, 8], reduced: 1 }]);
    // The modulation's 1 + scale is of another shape.
    expect(graph.stats().ops).toEqual({ constant: 1, fused: 1, add: 1 });
  });

  it('puts off what is no larger than what it is made of', () => {
    const f = (x: Tensor, y: Tensor) => add(add(x, mul(2, x)), transpose(sin(add(y, transpose(x)))));
    expect(fusedCalls(f, [wave([3, 4]), wave([4, 3])]).ops).toEqual({ transpose: 2, fused: 2 });
  });

  it('puts off what is connected to where its first reader is, and no further', () => {
    const inputs = [wave([3, 4]), wave([3, 4], 1), wave([4, 3], 2)];
    const late = fusedCalls((x, y, z) => add(mul(x, y), transpose(sin(z))), inputs);
    expect(late.ops).toEqual({ sin: 1, transpose: 1, fused: 1 });
    const early = fusedCalls((x, y, z) => {
      const product = mul(x, y);
      return add(product, transpose(sin(mul(transpose(product), z))));
    }, inputs);
    expect(early.ops).toEqual({ transpose: 2, mul: 1, fused: 1, add: 1 });
  });

  it('reads through reshapes that only add axes of size 1, and leaves none', () => {
    const { ops } = fusedCalls(
      (x, y) => mul(sin(x), reshape(y, [3, 1, 4])).mul(x),
      [wave([3, 2, 4]), wave([3, 4])],
    );
    expect(ops).toEqual({ fused: 1 });
  });

  it('writes results without the axes that were reduced', () => {
    const { ops, forms } = fusedCalls((x) => rsqrt(sum(mul(x, x), [1, 2])), [wave([3, 2, 4])]);
    expect(ops).toEqual({ fused: 1 });
    expect(forms).toEqual([{ space: [3, 2, 4], reduced: 2 }]);
  });

  it('makes no call of one instruction, nor of sums over leading axes', () => {
    expect(fusedCalls((x) => sum(sin(x), 0), [wave([3, 4])]).ops).toEqual({ sin: 1, reduceSum: 1 });
  });

  it('does not take the sums of rows for those of columns', () => {
    const apart = fusedCalls((x) => sub(mul(x, x), sum(exp(x), 1)), [wave([4, 4])]);
    expect(apart.forms.map(({ reduced }) => reduced)).toEqual([1, 0]);
    const f = (x: Tensor) => {
      const e = exp(x);
      return sub(e, sum(e, 1));
    };
    expect(fusedCalls(f, [wave([4, 4])]).ops).toEqual({ fused: 1, sub: 1 });
  });

  it('makes no cluster that waits for itself', () => {
    const { ops } = fusedCalls(
      (x) => {
        const a = sin(mul(x, x));
        const b = cos(mul(2, reshape(a, [16])));
        return add(tanh(reshape(b, [4, 4])), a);
      },
      [wave([4, 4])],
    );
    expect(ops['fused']).toBe(3);
  });

  it('keeps calls within their limits', () => {
    const many = Array.from({ length: FUSED_LIMITS.inputs + 5 }, (_, i) => wave([3], i));
    const wide = fusedCalls((...xs) => xs.reduce((a, b) => add(sin(a), b)), many);
    expect(wide.ops['fused']).toBeGreaterThan(1);
    const deep = fusedCalls(
      (x) => Array.from({ length: 150 }).reduce<Tensor>((a, _, i) => tanh(mul(a, i)), x),
      [wave([3])],
    );
    expect(deep.ops['fused']).toBe(3);
  });

  it('is left out where it is not wanted, and where there is no kernel', () => {
    const graph = graphOf((x) => sin(cos(x)), [wave([3])]);
    expect(prepare(graph).stats().ops).toEqual({ cos: 1, sin: 1 });
    expect(prepare(graph, { hasKernel, without: ['fuse'] }).stats().ops).toEqual({ cos: 1, sin: 1 });
    expect(prepare(graph, { hasKernel }).stats()).toMatchObject({ ops: { fused: 1 }, bytesMoved: 24 });
  });

  it('keeps value and gradient of random programs', () => {
    const inputs = programInputs.map((shape, i) => wave(shape, 0.2 + i));
    fc.assert(
      fc.property(randomProgram, (program) => {
        const graph = graphOf((...tensors) => {
          const gradients = grad((xs: Tensor[]) => runProgram(program, xs))(tensors);
          return gradients.map((each) => sum(each)).reduce((a, b) => add(a, b), runProgram(program, tensors));
        }, inputs);
        const made = fused(graph);
        for (const { body } of calls(made)) fusedForm(body);
        expectClose(runGraph(made, inputs).data, runGraph(graph, inputs).data, 1e-11);
      }),
      { numRuns: 60, seed: 20261201 },
    );
  });
});

describe('the form of a fused body', () => {
  const bodyOf = (f: TensorFunction, ...shapes: (readonly number[])[]): Program =>
    trace(
      (tensors: Tensor[]) => f(...tensors),
      shapes.map((shape) => spec(shape)),
    ).graph;

  it.each<[string, Program, RegExp]>([
    ['movement', bodyOf((x) => transpose(sin(x)), [3, 2]), /holds transpose/],
    [
      'a reshape that is none of rows',
      bodyOf((x) => sin(reshape(x, [6])), [3, 2]),
      /reshapes \[3, 2\] to \[6\]/,
    ],
    ['a sum over leading axes', bodyOf((x) => sum(sin(x), 0), [3, 2]), /reduces axes \[0\] of \[3, 2\]/],
    [
      'sums over different axes',
      bodyOf((x) => add(sum(x, [1, 2], { keepDims: true }), sum(x, 2, { keepDims: true })), [3, 2, 4]),
      /reduces axes/,
    ],
    [
      'an output of another shape',
      bodyOf(
        (x, y) =>
          sum(add(x, sin(y)), 1)
            .mul(0)
            .add(sum(y)),
        [3, 2],
        [2],
      ),
      /reduces axes/,
    ],
  ])('refuses %s', (_, body, message) => {
    expect(() => fusedForm(body)).toThrow(message);
  });
});
