/** Names that every plain object answers to, as keys of trees and as names of inputs: they are keys like others. */
import * as mf from '../src/index.js';
import { interpret } from '../src/backend-door.js';
import { ownValue } from '../src/validation-door.js';

/** As JSON.parse makes it: an own key, not the prototype. */
const NAMES = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];
const treeOf = <T>(make: (i: number) => T): Record<string, T> =>
  Object.fromEntries(NAMES.map((name, i) => [name, make(i)]));
const scalarOf = (x: number) => new mf.HostArray('float32', [], Float32Array.of(x));

test('they are leaves of trees, in order, and come back', () => {
  const tree = { deep: treeOf((i) => i), list: [treeOf((i) => 10 + i)] };
  expect(mf.treePaths<number>(tree).map(({ path }) => path)).toEqual([
    ...NAMES.map((name) => `deep/${name}`),
    ...NAMES.map((name) => `list/0/${name}`),
  ]);
  const doubled = mf.treeMap<number, number, typeof tree>((x) => 2 * x, tree);
  expect(Object.entries(doubled.deep)).toEqual(NAMES.map((name, i) => [name, 2 * i]));
  expect(Object.entries(doubled.list[0])).toEqual(NAMES.map((name, i) => [name, 20 + 2 * i]));
  expect(Object.getPrototypeOf(doubled.deep)).toBe(Object.prototype);
});

test('trees that differ in one of them differ', () => {
  const { constructor: _, ...fewer } = treeOf((i) => i);
  expect(() =>
    mf.treeZip(
      'test',
      treeOf((i) => i),
      fewer,
    ),
  ).toThrow(/"constructor" is missing/);
});

test('functions of such trees are traced, differentiated, compiled and run', async () => {
  const specs = treeOf(() => mf.spec([]));
  const total = (params: Record<string, mf.Tensor>) =>
    NAMES.map((name, i) => mf.mul(params[name], mf.mul(params[name], i + 1))).reduce((sum, x) => sum.add(x));
  const traced = mf.trace((params: Record<string, mf.Tensor>) => {
    const [loss, gradient] = mf.valueAndGrad(total)(params);
    return { loss, params: gradient };
  }, specs); // prettier-ignore
  const compiled = await mf.compile(mf.referenceBackend(), traced);
  const { loss, params } = await compiled.run(treeOf((i) => scalarOf(i)));
  expect((await loss.read()).item()).toBe(0 + 2 + 12 + 36);
  const gradient = await Promise.all(
    Object.entries(params).map(async ([name, x]) => [name, (await x.read()).item()]),
  );
  expect(gradient).toEqual(NAMES.map((name, i) => [name, 2 * i * (i + 1)]));
});

test('one that is missing is missing', async () => {
  const { graph } = mf.trace(
    (given: Record<string, mf.Tensor>) => given,
    treeOf(() => mf.spec([])),
  );
  for (const name of NAMES) {
    const inputs = Object.fromEntries(
      Object.entries(treeOf((i) => scalarOf(i))).filter(([other]) => other !== name),
    );
    expect(() => interpret(graph, inputs)).toThrow(`Input "${name}" of graph`);
  }
});

test('a state may be one of them', async () => {
  const traced = mf.trace(
    (given: Record<string, mf.Tensor>) => Object.fromEntries(NAMES.map((name) => [name, given[name].add(1)])),
    treeOf(() => mf.spec([])),
  );
  const compiled = await mf.compile(mf.referenceBackend(), traced, { state: treeOf((i) => NAMES[i]) });
  const first = await compiled.run(treeOf((i) => scalarOf(i)));
  const second = await compiled.run(first);
  for (const [i, name] of NAMES.entries()) {
    expect((await second[name].read()).item()).toBe(i + 2);
    await expect(first[name].read()).rejects.toThrow(mf.DisposedError);
  }
});

test('ownValue finds what is there, and nothing else', () => {
  const record = treeOf((i) => i);
  for (const [i, name] of NAMES.entries()) {
    expect(ownValue(record, name)).toBe(i);
    expect(ownValue<number>({}, name)).toBeUndefined();
  }
});
