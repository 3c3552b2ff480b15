import {
  PytreeError,
  treeFlatten,
  treeLeaves,
  treeMap,
  treePaths,
  treeRecord,
  treeZip,
  treeZipMap,
} from '../src/index.js';

const tree = { b: [1, { z: 2, a: 3 }], a: 4, none: undefined, empty: {}, list: [] as number[] };

describe('pytrees', () => {
  it('are walked by sorted keys, with paths', () => {
    expect(treePaths<number>(tree)).toEqual([
      { path: 'a', leaf: 4 },
      { path: 'b/0', leaf: 1 },
      { path: 'b/1/a', leaf: 3 },
      { path: 'b/1/z', leaf: 2 },
    ]);
    expect(treeLeaves<number>({ z: 1, a: 2 })).toEqual(treeLeaves<number>({ a: 2, z: 1 }));
  });

  it('order list elements by number, not by text', () => {
    expect(treeLeaves<number>(Array.from({ length: 12 }, (_, i) => i))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  it('may be a single leaf, or hold none', () => {
    expect(treePaths(5)).toEqual([{ path: '', leaf: 5 }]);
    expect(treePaths(undefined)).toEqual([]);
    expect(treePaths({ a: [] })).toEqual([]);
  });

  it('take instances of classes, and null, for leaves', () => {
    class Leaf {
      readonly inside = 1;
    }
    const [leaf, map] = [new Leaf(), new Map()];
    expect(treeLeaves<unknown>({ a: leaf, b: map, c: null, d: new Float32Array(2) })).toEqual([
      leaf,
      map,
      null,
      new Float32Array(2),
    ]);
  });

  it('take objects without a prototype for nodes', () => {
    const bare = Object.assign(Object.create(null) as Record<string, number>, { x: 1 });
    expect(treePaths<number>({ bare })).toEqual([{ path: 'bare/x', leaf: 1 }]);
  });

  it('are put together again from their leaves', () => {
    const { leaves, structure } = treeFlatten<number>(tree);
    expect(structure.paths).toEqual(['a', 'b/0', 'b/1/a', 'b/1/z']);
    expect(structure.unflatten(leaves)).toEqual(tree);
    expect(structure.unflatten(['p', 'q', 'r', 's'])).toEqual({
      a: 'p',
      b: ['q', { a: 'r', z: 's' }],
      empty: {},
      list: [],
    });
    expect(() => structure.unflatten([1])).toThrow(PytreeError);
    expect(() => structure.unflatten([1])).toThrow('A tree of 4 leaves cannot be built from 1.');
  });

  it('keep their structure when the tree that they came from changes', () => {
    const changing: Record<string, number> = { a: 1 };
    const { structure } = treeFlatten<number>(changing);
    changing['b'] = 2;
    expect(structure.unflatten([5])).toStrictEqual({ a: 5 });
  });

  it('are mapped leaf by leaf, keeping their type', () => {
    const mapped: { w: string; list: string[] } = treeMap((x: number, path) => `${path}=${x}`, {
      w: 1,
      list: [2, 3],
    });
    expect(mapped).toEqual({ w: 'w=1', list: ['list/0=2', 'list/1=3'] });
  });

  it('are zipped when their structures agree', () => {
    expect(treeZip<number>('test', { a: 1, b: [2] }, { b: [20], a: 10 })).toEqual([
      { path: 'a', leaves: [1, 10] },
      { path: 'b/0', leaves: [2, 20] },
    ]);
  });

  it.each([
    [{ a: 1 }, 'Update: the trees differ in structure: leaf "b/0" is missing.'],
    [{ a: 1, b: [2], c: 3 }, 'Update: the trees differ in structure: leaf "c" is not expected.'],
    [
      { a: 1, b: 2 },
      'Update: the trees differ in structure: leaf "b/0" is missing, and leaf "b" is not expected.',
    ],
  ])('say where they differ: %j', (other, message) => {
    expect(() => treeZip<number>('Update', { a: 1, b: [2] }, other)).toThrow(PytreeError);
    expect(() => treeZip<number>('Update', { a: 1, b: [2] }, other)).toThrow(message);
  });
});

test('an object literal that can do something is a leaf, as a device array of some backend may be', () => {
  const array = { dtype: 'float32', shape: [2], read: () => undefined, dispose: () => undefined };
  expect(treePaths<typeof array>({ state: { x: array } })).toEqual([{ path: 'state/x', leaf: array }]);
});

test('treeRecord has leaves by path', () => {
  expect(treeRecord<number>({ b: [2, undefined], a: 1 })).toEqual({ a: 1, 'b/0': 2 });
});

describe('treeZipMap', () => {
  const lessTwice = (leaf: number, first: number, second: number) => leaf - 2 * first - 3 * second;

  test('takes the leaves of each tree in its place, and makes a tree of the type of the first', () => {
    const made: { a: number; b: readonly number[] } = treeZipMap(
      'test',
      lessTwice,
      { a: 1, b: [2] },
      { b: [20], a: 10 },
      { a: 100, b: [200] },
    );
    expect(made).toEqual({ a: 1 - 20 - 300, b: [2 - 40 - 600] });
  });

  test('names the path in which trees differ', () => {
    expect(() => treeZipMap('Update', lessTwice, { a: 1 }, { a: 1 }, { c: 1 })).toThrow(
      'Update: the trees differ in structure: leaf "a" is missing, and leaf "c" is not expected.',
    );
  });
});
