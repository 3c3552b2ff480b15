/** Blocks that are recomputed where a budget asks for it: the same numbers, in the memory that was allowed. */
import {
  add,
  checkpoint,
  fitMemory,
  jvp,
  matmul,
  mul,
  recomputable,
  recomputing,
  sin,
  square,
  stopGradient,
  sum,
  tanh,
  valueAndGrad,
  type BlockChoice,
  type Tensor,
} from '../src/index.js';
import { prepare } from '../src/backend-door.js';
import { expectClose, graphOf, runGraph, wave } from './support/numeric.js';

const BLOCKS = 6;
const NAMES = Array.from({ length: BLOCKS }, (_, i) => `blocks/${i}`);
const block = (x: Tensor, w: Tensor): Tensor => {
  for (let i = 0; i < 4; i++) x = sin(tanh(x));
  return add(x, matmul(x, w));
};
const network = (x: Tensor, w: Tensor): Tensor =>
  NAMES.reduce((y, name) => recomputable(name, (z: Tensor) => block(z, w))(y), x);
const losses = {
  value: (x: Tensor, w: Tensor) => sum(square(network(x, w))),
  'value and tangent': (x: Tensor, w: Tensor) => {
    const [value, tangent] = jvp((y: Tensor) => network(y, w), [x], [mul(x, 0.5)]);
    return sum(square(value.sub(stopGradient(tangent))));
  },
};
const inputs = [wave([50, 8], 0, 0.4), wave([8, 8], 1, 0.3)];
const traceOf = (loss: (x: Tensor, w: Tensor) => Tensor) => (choice?: BlockChoice) =>
  graphOf((x, w) => {
    const [value, gradient] = recomputing(choice, () => valueAndGrad((at: Tensor) => loss(x, at))(w));
    return add(gradient, value);
  }, inputs);

describe.each(Object.entries(losses))('the gradient of a %s', (_, loss) => {
  const trace = traceOf(loss);
  const peakWith = (count: number) =>
    prepare(trace({ recomputed: new Set(NAMES.slice(0, count)) })).stats().peakBytes;

  it('is the same whatever is recomputed', () => {
    const expected = runGraph(trace(), inputs).data;
    for (const count of [1, 3, BLOCKS]) {
      const graph = trace({ recomputed: new Set(NAMES.slice(0, count)) });
      expectClose(runGraph(graph, inputs).data, expected, 1e-12);
      expectClose(runGraph(prepare(graph), inputs).data, expected, 1e-12);
    }
  });

  it('takes less the more blocks are recomputed', () => {
    const peaks = [0, 2, 4].map(peakWith);
    expect(peaks[1]).toBeLessThan(peaks[0]);
    expect(peaks[2]).toBeLessThan(peaks[1]);
  });

  it('recomputes as few as a budget asks for', async () => {
    const [none, most] = [peakWith(0), peakWith(BLOCKS)];
    expect(await fitMemory(none, trace)).toEqual({
      budget: none,
      bytes: none,
      bytesWithout: none,
      recomputed: [],
      blocks: BLOCKS,
    });
    const budget = Math.round((none + most) / 2);
    const plan = await fitMemory(budget, trace);
    const count = plan.recomputed.length;
    expect(plan.recomputed).toEqual(NAMES.slice(0, count));
    expect(plan).toMatchObject({ budget, bytesWithout: none, bytes: peakWith(count) });
    expect(peakWith(count)).toBeLessThanOrEqual(budget);
    expect(peakWith(count - 1)).toBeGreaterThan(budget);
  });

  it('says what it takes at least where a budget is too small', async () => {
    await expect(fitMemory(1000, trace)).rejects.toThrow(
      /memory of 0.000001 GB is too little: a step takes at least .* GB with every block recomputed/,
    );
  });
});

it('costs nothing where nothing is chosen, and is over when its trace is', () => {
  const trace = traceOf(losses.value);
  expect(trace({ recomputed: new Set(NAMES) }).stats().ops['optimizationBarrier']).toBeGreaterThan(0);
  expect(trace().stats().ops['optimizationBarrier']).toBeUndefined();
});

it('a network without blocks is told of', async () => {
  const trace = () => graphOf((x) => sin(x), [wave([100])]);
  await expect(fitMemory(1, trace)).rejects.toThrow('says no blocks');
});

it('tangents of a checkpoint share its value, and compute it again where that is asked for', () => {
  const ops = (tangents: boolean) =>
    prepare(
      graphOf(
        (x) => {
          const f = checkpoint((y: Tensor) => sin(tanh(y)), { tangents });
          const [value, tangent] = jvp(f, [x], [1]);
          return add(value, tangent);
        },
        [wave([3])],
      ),
    ).stats().ops;
  expect(ops(false)).toMatchObject({ tanh: 1 });
  expect(ops(true)).toMatchObject({ tanh: 2, optimizationBarrier: 1 });
});
