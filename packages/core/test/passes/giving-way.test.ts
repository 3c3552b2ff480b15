/** Compiling gives way to other work, and comes to the same as where it does not. */
import {
  sum,
  tanh,
  TensorSpec,
  trace,
  traceGivingWay,
  valueAndGrad,
  valueAndGradInSteps,
  type Graph,
  type Steps,
  type Tensor,
} from '../../src/index.js';
import { prepare, preparing } from '../../src/prepare.js';
import { drain, drainGivingWay } from '../../src/giving-way.js';
import type { PassName } from '../../src/passes/passes.js';

/** A chain of so many layers. */
function chain(layers: number): Graph {
  const f = ({ x }: { x: Tensor }) => {
    let y = x;
    for (let i = 0; i < layers; i++) y = tanh(y.mul(i + 2)).add(x);
    return { y };
  };
  return trace(f, { x: new TensorSpec('float32', [4]) }).graph;
}

/** How often each pass over a graph gives way. */
function stepsByPass(graph: Graph): Record<PassName, number> {
  const steps = { shareRows: 0, inline: 0, openShared: 0, fuse: 0 };
  let count = 0;
  const onPass = (name: PassName) => {
    steps[name] = count;
    count = 0;
  };
  // All that is fused has a kernel, so that the graph is put together anew, too.
  const turns = preparing(graph, { hasKernel: () => true, onPass });
  while (turns.next().done !== true) count++;
  return steps;
}

it('the passes over a graph offer to give way in proportion to its size', () => {
  const [short, long] = [chain(100), chain(400)].map((graph) => ({ graph, ...stepsByPass(graph) }));
  expect(long!.inline).toBeGreaterThanOrEqual(Math.floor(long!.graph.instructions.length / 256));
  for (const pass of ['inline', 'fuse'] as const) {
    expect(short![pass]).toBeGreaterThan(0);
    expect(long![pass] / short![pass]).toBeGreaterThan(2.5);
  }
});

it('a graph prepared in turns is the same', async () => {
  const graph = chain(100);
  const inTurns = await drainGivingWay(preparing(graph));
  expect(inTurns.toString()).toBe(prepare(graph).toString());
});

it('gives way whenever 15 ms have passed, and not more often', async () => {
  function* work(): Generator<void, string> {
    for (let i = 0; i < 100; i++) yield;
    return 'done';
  }
  for (const [each, turns] of [[1, 6], [5, 33], [20, 100], [0, 0]] as const) {
    let [time, given] = [0, 0];
    const options = { now: () => (time += each), giveWay: async () => void given++ };
    expect(await drainGivingWay(work(), options)).toBe('done');
    // The look at the clock after a turn takes its time, too.
    expect(given).toBe(turns);
  }
  expect(drain(work())).toBe('done');
}); // prettier-ignore

it('lets timers have their turn by itself', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  function* busy(): Generator<void, void> {
    for (const end = Date.now() + 80; Date.now() < end;) yield;
  }
  await drainGivingWay(busy());
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
});

describe('a derivative', () => {
  const x = new TensorSpec('float32', [4]);
  const lossOf = (layers: number) => (at: Tensor) => {
    let y = at;
    for (let i = 0; i < layers; i++) y = tanh(y.mul(i + 2)).add(at);
    return [sum(y), y] as const;
  };

  /** Its graph, and how often it gives way. */
  async function inSteps(layers: number): Promise<{ graph: Graph; steps: number }> {
    let steps = 0;
    function* f(at: Tensor): Steps<{ value: Tensor; y: Tensor; gradient: Tensor }> {
      const turns = valueAndGradInSteps(lossOf(layers), at);
      for (;;) {
        const turn = turns.next();
        if (turn.done === true) {
          const [[value, y], gradient] = turn.value;
          return { value, y, gradient };
        }
        steps++;
        yield;
      }
    }
    return { graph: (await traceGivingWay(f, x, { name: 'loss' })).graph, steps };
  }

  it('that is traced in steps is the same', async () => {
    const whole = (at: Tensor) => {
      const [[value, y], gradient] = valueAndGrad(lossOf(20), { hasAux: true })(at);
      return { value, y, gradient };
    };
    const { graph } = await inSteps(20);
    expect(graph.toString()).toBe(trace(whole, x, { name: 'loss' }).graph.toString());
  });

  it('offers to give way in proportion to its size, and after its function', async () => {
    const [short, long] = [await inSteps(100), await inSteps(400)];
    expect((await inSteps(1)).steps).toBeGreaterThanOrEqual(2);
    // Three nodes a layer, which are walked forward and back.
    expect(long.steps).toBeGreaterThanOrEqual((2 * 3 * 400) / 64);
    expect(long.steps / short.steps).toBeGreaterThan(2.5);
  });
});
