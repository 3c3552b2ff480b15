/** Compiling gives way to other work, and comes to the same as where it does not. */
import { trace, TensorSpec, tanh, type Graph, type Tensor } from '../../src/index.js';
import { prepare, preparing } from '../../src/prepare.js';
import { drain, drainGivingWay } from '../../src/passes/pass.js';
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
