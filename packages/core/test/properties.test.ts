/** Properties of random programs: derivatives agree with one another, and simplification keeps every value. */
import fc from 'fast-check';
import { grad, jvp, mul, sum, valueAndGrad, vjp, type Graph, type Tensor } from '../src/index.js';
import { prepare, simplify } from '../src/backend-door.js';
import { expectClose, graphOf, runGraph, wave } from './support/numeric.js';
import { programInputs, randomProgram, runProgram } from './support/random-program.js';

const COUNT = programInputs.length;
const inputs = programInputs.map((shape, i) => wave(shape, 0.2 + i));
const directions = programInputs.map((shape, i) => wave(shape, 5 + i));
const all = [...inputs, ...directions];
const split = (tensors: readonly Tensor[]) => [tensors.slice(0, COUNT), tensors.slice(COUNT)] as const;
const dotTrees = (a: readonly Tensor[], b: readonly Tensor[]) =>
  a.map((x, i) => sum(mul(x, b[i]))).reduce((total, term) => total.add(term));

const value = (graph: Graph) => runGraph(graph, all).data;
/** Instructions that run; constants are only kept. */
const executed = (graph: Graph) => graph.instructions.filter(({ op }) => op !== 'constant').length;
const RUNS = { numRuns: 150, seed: 20261121 };

describe('a random program', () => {
  it('has ⟨v, J u⟩ = ⟨Jᵀ v, u⟩', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const forward = graphOf((...tensors) => {
          const [xs, vs] = split(tensors);
          return jvp((moving: Tensor[]) => runProgram(program, moving), [xs], [[...vs]])[1];
        }, all);
        const reverse = graphOf((...tensors) => {
          const [xs, vs] = split(tensors);
          const [out, pull] = vjp((moving: Tensor[]) => runProgram(program, moving), [xs]);
          return dotTrees(pull(mul(0, out).add(1))[0], vs);
        }, all);
        expectClose(value(reverse), value(forward), 1e-10);
      }),
      RUNS,
    );
  });

  it('has jvp of grad equal to grad of jvp', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const f = (moving: Tensor[]) => runProgram(program, moving);
        const forwardOverReverse = graphOf((...tensors) => {
          const [xs, vs] = split(tensors);
          return dotTrees(jvp((moving: Tensor[]) => grad(f)(moving), [xs], [[...vs]])[1], xs);
        }, all);
        const reverseOverForward = graphOf((...tensors) => {
          const [xs, vs] = split(tensors);
          return dotTrees(grad((moving: Tensor[]) => jvp(f, [moving], [[...vs]])[1])(xs), xs);
        }, all);
        expectClose(value(reverseOverForward), value(forwardOverReverse), 1e-9);
      }),
      RUNS,
    );
  });

  it('keeps its value and gradient when simplified, and when prepared with and without kernels', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const graph = graphOf((...tensors) => {
          const [out, gradient] = valueAndGrad((moving: Tensor[]) => runProgram(program, moving))(
            split(tensors)[0],
          );
          return out.add(dotTrees(gradient, split(tensors)[1]));
        }, all);
        const expected = value(graph);
        expectClose(value(simplify(graph)), expected, 1e-11);
        expectClose(value(prepare(graph)), expected, 1e-11);
        expectClose(value(prepare(graph, { hasKernel: () => true })), expected, 1e-11);
      }),
      RUNS,
    );
  });

  it('can be differentiated after it was simplified', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const body = graphOf((...tensors) => runProgram(program, tensors), inputs);
        const gradient = (g: Graph) =>
          graphOf((...tensors) => {
            const [xs, vs] = split(tensors);
            return dotTrees(grad((moving: Tensor[]) => g.apply(moving)[0])(xs), vs);
          }, all);
        expectClose(value(gradient(simplify(body))), value(gradient(body)), 1e-11);
      }),
      RUNS,
    );
  });

  it('is simplified once and for all, to no more work than before', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const graph = graphOf((...tensors) => {
          const [xs] = split(tensors);
          return dotTrees(grad((moving: Tensor[]) => runProgram(program, moving))(xs), xs);
        }, inputs);
        const simplified = simplify(graph);
        expect(simplify(simplified).toString()).toBe(simplified.toString());
        expect(executed(simplified)).toBeLessThanOrEqual(executed(graph));
        expect(simplified.stats().flops).toBeLessThanOrEqual(graph.stats().flops);
      }),
      RUNS,
    );
  });
});
