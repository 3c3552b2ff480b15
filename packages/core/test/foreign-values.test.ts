/** Arrays from elsewhere: what they mean is clear, so they are taken; what is none is named. */
import vm from 'node:vm';
import { jest } from '@jest/globals';
import {
  ArgumentError,
  compile,
  constant,
  DTypeError,
  hostArray,
  HostArray,
  mul,
  referenceBackend,
  spec,
  trace,
  treePaths,
  type RunInput,
} from '../src/index.js';
import { takeInputs } from '../src/check-inputs.js';

const double = trace(({ x }) => ({ y: mul(x, 2) }), { x: spec([2]) }, { name: 'double' });
const backend = referenceBackend();

async function doubled(x: unknown): Promise<number[]> {
  const compiled = await compile(backend, double);
  const { y } = await compiled.run({ x: x as RunInput as never });
  return [...(await y.read()).data];
}

const elsewhere = <T>(code: string): T => vm.runInNewContext(code) as T;

it('typed arrays of another realm are typed arrays', async () => {
  const foreign = elsewhere<Float32Array<ArrayBuffer>>('Float32Array.of(1, 2)');
  expect(foreign instanceof Float32Array).toBe(false);
  const array = new HostArray('float32', [2], foreign);
  expect(array.data instanceof Float32Array).toBe(true);
  // The same memory.
  foreign[0] = 5;
  expect(array.data[0]).toBe(5);
  expect(await doubled(array)).toEqual([10, 4]);
  expect(hostArray(elsewhere<Float64Array>('Float64Array.of(1, 2)')).shape).toEqual([2]);
  expect(hostArray(elsewhere<number[][]>('[[1, 2]]')).shape).toEqual([1, 2]);
  expect(() => new HostArray('float32', [2], elsewhere<never>('Int32Array.of(1, 2)'))).toThrow(
    new DTypeError('HostArray of float32 takes a Float32Array, got an Int32Array of 2.'),
  );
});

it('what postMessage leaves of a HostArray is the leaf that it was', async () => {
  const posted = structuredClone(hostArray([1, 2]));
  expect(Object.getPrototypeOf(posted)).not.toBe(HostArray.prototype);
  expect(await doubled(posted)).toEqual([2, 4]);
  const executable = await backend.compile(double.graph);
  const { y } = await executable.run({ x: posted });
  expect([...(await y.read()).data]).toEqual([2, 4]);
  const tree = structuredClone({ params: { w: hostArray([1]), b: [hostArray([2])] } });
  expect(treePaths<HostArray>(tree).map(({ path, leaf }) => [path, leaf.toString()])).toEqual([
    ['params/b/0', 'float32[1]'],
    ['params/w', 'float32[1]'],
  ]);
  expect(trace(({ w }) => mul(w, 2), { w: posted }).graph.inputs).toHaveLength(1);
  expect(trace(() => constant(posted), {}).graph.toString()).toMatch(/float32\[2\]/);
});

it('a HostArray of a second copy of the package is one', async () => {
  jest.resetModules();
  const other = await import('../src/index.js');
  expect(other.HostArray).not.toBe(HostArray);
  const theirs = other.hostArray([1, 2]);
  expect(theirs instanceof HostArray && hostArray([1]) instanceof other.HostArray).toBe(true);
  expect(await doubled(theirs)).toEqual([2, 4]);
});

it('shared memory is copied, lent or not', () => {
  const data = new Float32Array(new SharedArrayBuffer(8));
  data.set([1, 2]);
  const x = new HostArray('float32', [2], data as unknown as Float32Array<ArrayBuffer>);
  for (const borrow of [false, true]) {
    const taken = takeInputs(double.graph, { x }, { borrow }).x as HostArray;
    expect([...taken.data]).toEqual([1, 2]);
    expect(taken.data.buffer).not.toBe(data.buffer);
    expect(taken.data.buffer instanceof SharedArrayBuffer).toBe(false);
  }
});

it('memory that went or shrank is an error that says so', async () => {
  const gone = hostArray([1, 2]);
  structuredClone(gone.data, { transfer: [gone.data.buffer as ArrayBuffer] });
  const message =
    /Input "x": The memory of float32\[2\] holds 0 elements and not 2: its buffer was transferred .* resized/;
  await expect(doubled(gone)).rejects.toThrow(ArgumentError);
  await expect(doubled(gone)).rejects.toThrow(message);
  expect(() => gone.clone()).toThrow(/transferred/);

  // The types of this language version do not know them yet.
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { readonly maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void };
  const buffer = new Resizable(8, { maxByteLength: 16 });
  const resizable = new HostArray('float32', [2], new Float32Array(buffer));
  expect((takeInputs(double.graph, { x: resizable }, { borrow: true }).x as HostArray).data.buffer).not.toBe(
    buffer,
  );
  buffer.resize(4);
  await expect(doubled(resizable)).rejects.toThrow(/holds 1 elements and not 2/);
});

it('what a caller does after the call does not reach the run', async () => {
  const compiled = await compile(backend, double);
  const x = hostArray([1, 2]);
  const inputs = { x };
  const running = compiled.run(inputs);
  x.data.fill(9);
  inputs.x = hostArray([7, 7]);
  expect([...(await (await running).y.read()).data]).toEqual([2, 4]);
  // A lent array is not copied.
  expect(takeInputs(double.graph, { x }, { borrow: true }).x).toBe(x);
});

it('a byte that is not 0 is true', () => {
  const { graph } = trace(({ b }) => b, { b: spec([3], 'bool') });
  const b = new HostArray('bool', [3], Uint8Array.of(0, 2, 255));
  for (const borrow of [false, true]) {
    expect([...(takeInputs(graph, { b }, { borrow }).b as HostArray).data]).toEqual([0, 1, 1]);
  }
});

it.each<[string, unknown, string]>([
  ['a typed array', Float32Array.of(1, 2), `Input "x" is a Float32Array of 2, neither a HostArray nor a device array; wrap numbers, as in new HostArray('float32', [2], data) or hostArray(numbers).`],
  ['a number', 3, 'Input "x" is 3, neither'],
  ['an array', [1, 2], 'Input "x" is an array of 2, neither'],
  ['nothing', null, 'Input "x" is null, neither'],
  ['a tensor', 'x', 'Input "x" is "x", neither'],
  ['another object', { data: [1, 2] }, 'Input "x" is an object, neither'],
])('names %s where an array should be', async (_, x, message) => {
  const executable = await backend.compile(double.graph);
  await expect(executable.run({ x: x as RunInput })).rejects.toThrow(ArgumentError);
  await expect(executable.run({ x: x as RunInput })).rejects.toThrow(message);
}); // prettier-ignore

it.each<[string, () => unknown, string]>([
  ['a dtype', () => new HostArray('float16' as 'float32', [1], new Float32Array(1)), 'The dtypes of host arrays are float32, int32, bool, float64; got "float16".'],
  ['a dtype on the prototype of objects', () => hostArray([1], { dtype: 'constructor' as never }), 'got "constructor"'],
  ['bigints', () => hostArray(BigInt64Array.of(1n) as never), 'hostArray takes numbers, got a BigInt64Array of 1, which holds bigints.'],
  ['text among numbers', () => hostArray([1, '2'] as never), 'hostArray takes numbers, nested to any depth, got "2".'],
  ['no values', () => hostArray(undefined as never), 'hostArray takes numbers, nested to any depth, got undefined.'],
  ['a shape that is none', () => new HostArray('float32', 2 as never, new Float32Array(2)), 'A shape is an array of non-negative integers, got 2.'],
])('HostArray refuses %s', (_, make, message) => {
  expect(make).toThrow(message);
}); // prettier-ignore
