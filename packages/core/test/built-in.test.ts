/** Which composites are core's own: those of its definitions, by identity, and none that merely bears a name. */
import { jest } from '@jest/globals';
import * as mf from '../src/index.js';
import {
  type BuiltInComposite,
  builtInComposite,
  interpret,
  prepare,
  simplify,
} from '../src/backend-door.js';
import type { CompositeCall } from '../src/backend-door.js';

const x = mf.spec([2, 3]);

function callOf(f: (x: mf.Tensor) => mf.Tensor): CompositeCall {
  const [call] = mf.trace(f, x).graph.instructions.filter(({ op }) => op === 'composite');
  return call.attributes as CompositeCall;
}

const core: Partial<Record<BuiltInComposite, (x: mf.Tensor) => mf.Tensor>> = {
  relu: mf.relu,
  silu: mf.silu,
  gelu: (t) => mf.gelu(t),
  geluTanh: (t) => mf.gelu(t, { approximate: 'tanh' }),
  softplus: mf.softplus,
  softmax: mf.softmax,
  layerNorm: (t) => mf.layerNorm(t),
  rmsNorm: (t) => mf.rmsNorm(t),
};

test.each(Object.entries(core))(
  '%s is known by its definition, whatever the definition is called',
  (name, f) => {
    const { definition } = callOf(f);
    expect(builtInComposite({ definition })).toBe(name);
    for (const other of [
      { name, decompose: definition.decompose },
      { ...definition },
      { ...definition, decompose: ([t]: readonly mf.Tensor[]) => [t] },
    ])
      expect(builtInComposite({ definition: other })).toBeUndefined();
    // What stands for a kernel is not to be changed under it.
    expect(Object.isFrozen(definition)).toBe(true);
  },
);

test.each(['constructor', '__proto__', 'toString'])(
  'a composite called %s is counted under its name',
  (name) => {
    const definition = { name, decompose: ([t]: readonly mf.Tensor[]) => [mf.neg(t)] };
    const { graph } = mf.trace((t) => mf.callComposite(definition, [t], {})[0], x);
    expect(builtInComposite({ definition })).toBeUndefined();
    expect(Object.entries(graph.stats().ops)).toEqual([[name, 1]]);
    expect(prepare(graph).instructions.map(({ op }) => op)).toEqual(['neg']);
  },
);

test('two composites of one name in one graph stay two', () => {
  const twice = { name: 'softmax', decompose: ([t]: readonly mf.Tensor[]) => [t.mul(2)] };
  const thrice = { name: 'softmax', decompose: ([t]: readonly mf.Tensor[]) => [t.mul(3)] };
  const { graph } = mf.trace(
    (t) => ({
      a: mf.callComposite(twice, [t], {})[0],
      b: mf.callComposite(thrice, [t], {})[0],
      c: mf.softmax(t),
    }),
    x,
  );
  expect(graph.stats().ops).toEqual({ softmax: 3 });
  expect(simplify(graph).stats().ops).toEqual({ softmax: 3 });
  const inputs = { input: mf.hostArray([[1, 2, 3], [4, 5, 6]]) }; // prettier-ignore
  const { a, b } = interpret(simplify(graph), inputs);
  expect([...a.data]).toEqual([2, 4, 6, 8, 10, 12]);
  expect([...b.data]).toEqual([3, 6, 9, 12, 15, 18]);
});

test('what a caller does to an attribute afterwards changes no graph', () => {
  const scaled: mf.CompositeDefinition<{ factor: number }> = {
    name: 'scaled',
    decompose: ([t], { factor }) => [t.mul(factor)],
  };
  const { graph } = mf.trace((t) => {
    const parameters = { factor: 2 };
    const dimensions = { lhsBatch: [0], rhsBatch: [0], lhsContracting: [1], rhsContracting: [1] };
    const first = mf.callComposite(scaled, [t], parameters)[0];
    const product = mf.dotGeneral(t, t, dimensions);
    parameters.factor = 3;
    dimensions.lhsBatch.pop();
    return { first, second: mf.callComposite(scaled, [t], parameters)[0], product };
  }, x);
  const { first, second, product } = interpret(simplify(graph), { input: mf.hostArray([[1, 2, 3], [4, 5, 6]]) }); // prettier-ignore
  expect([...first.data]).toEqual([2, 4, 6, 8, 10, 12]);
  expect([...second.data]).toEqual([3, 6, 9, 12, 15, 18]);
  expect([...product.data]).toEqual([14, 77]);
});

test('a definition of a second copy of core is inlined', async () => {
  jest.resetModules();
  const copy = (await import('../src/index.js')) as typeof mf;
  expect(copy.silu).not.toBe(mf.silu);
  const { graph } = copy.trace((t) => copy.silu(t), copy.spec([3]));
  const asked: unknown[] = [];
  const prepared = prepare(graph as unknown as mf.Graph, {
    hasKernel: (call) => {
      asked.push(call.definition.name, builtInComposite(call));
      return builtInComposite(call) !== undefined;
    },
    without: ['fuse'],
  });
  expect(asked).toEqual(['silu', undefined]);
  expect(prepared.instructions.map(({ op }) => op)).toEqual(['sigmoid', 'mul']);
});
