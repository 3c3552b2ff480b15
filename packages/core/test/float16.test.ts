/** float16 as a dtype of graphs: rounding, sums, casts, derivatives, and what a device without it says. */
import {
  cast,
  constant,
  grad,
  hostArray,
  jvp,
  matmul,
  mul,
  referenceBackend,
  spec,
  sum,
  trace,
  type DType,
  type Tensor,
} from '../src/index.js';
import { backendOn, interpret, simplify, type Device } from '../src/backend-door.js';

const half = (x: Tensor) => cast(x, 'float16');

function run(f: (x: Tensor) => Tensor, values: readonly number[]): number[] {
  const { graph } = trace(f, spec([values.length]));
  return [...interpret(graph, { input: hostArray(values) }).output.data];
}

test('a cast rounds to nearest, ties to even, beyond the largest to infinity, below the least to zero', () => {
  const values = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 65519, 65520, 6e-8, 2e-8, -1e-9, NaN, -Infinity];
  expect(run(half, values)).toEqual([
    1,
    1 + 2 ** -9,
    65504,
    65504,
    Infinity,
    2 ** -24,
    0,
    -0,
    NaN,
    -Infinity,
  ]);
});

test('every op rounds; sums and products are rounded once, after the last term', () => {
  expect(run((x) => mul(half(x), 3), [0.1])).toEqual([0.2998046875]);
  // 2048 + 1 is 2048 in float16: a sum that rounded on the way would stay there.
  expect(run((x) => sum(half(x)), [2048, 1, 1, 1, 1])).toEqual([2052]);
  const product = (x: Tensor) => matmul(half(x).reshape([1, 5]), half(x).reshape([5, 1]));
  expect(run(product, [32, 1, 1, 1, 1])).toEqual([1028]);
});

test('an input of float16 is given as float32, and rounded', () => {
  const { graph } = trace((x: Tensor) => cast(x, 'float32'), spec([2], 'float16'));
  expect([...interpret(graph, { input: hostArray([0.1, 1e6]) }).output.data]).toEqual([
    0.0999755859375,
    Infinity,
  ]);
});

test('a reference backend keeps float16 on the device and reads float32', async () => {
  await using backend = referenceBackend();
  const executable = await backend.compile(trace(half, spec([1])).graph);
  const { output } = await executable.run({ input: hostArray([0.1]) });
  expect(output.dtype).toBe('float16');
  expect(await output.read()).toMatchObject({ dtype: 'float32', data: Float32Array.of(0.0999755859375) });
});

test('derivatives are of the dtype of what they are of', () => {
  const f = (x: Tensor) => cast(mul(half(x), half(x)), 'float32').sum();
  expect(trace(grad(f), spec([2])).graph.outputs).toHaveLength(1);
  expect(run(grad(f), [3, -0.5])).toEqual([6, -1]);
  // 2 · 0.1 by the rounded 0.1.
  expect(run((x) => cast(jvp((y: Tensor) => mul(half(y), half(y)), [x], [1])[1], 'float32'), [0.1])).toEqual([
    0.199951171875,
  ]);
  const ofHalf = trace(
    grad((x: Tensor) => cast(mul(x, x), 'float32').sum()),
    spec([2], 'float16'),
  ).graph;
  expect(ofHalf.types[ofHalf.outputs[0].value].dtype).toBe('float16');
});

test('widened and rounded again is nothing; rounded and widened again is not', () => {
  const there = trace((x: Tensor) => half(cast(x, 'float32')), spec([2], 'float16')).graph;
  expect(simplify(there).instructions).toHaveLength(0);
  const back = trace((x: Tensor) => cast(half(x), 'float32'), spec([2])).graph;
  expect(simplify(back).instructions).toHaveLength(2);
});

test('folded constants are those that are computed', () => {
  const { graph } = trace(
    (x: Tensor) => cast(mul(half(cast(x, 'float32')), mul(half(constant([0.1])), 3)), 'float32'),
    spec([1], 'int32'),
  );
  const input = hostArray([1], { dtype: 'int32' });
  expect(interpret(simplify(graph), { input }).output.data).toEqual(interpret(graph, { input }).output.data);
});

test('a device that does not say that it takes float16 refuses it, with what to do', async () => {
  const device: Device<Float32Array> = {
    info: { backend: 'old', device: 'cpu', description: 'old', versions: {} },
    compile: () => ({ run: () => [] }),
    read: () => new Float32Array(),
  };
  await using backend = backendOn(device);
  await expect(backend.compile(trace(half, spec([1])).graph)).rejects.toThrow(
    /old does not compute graph "half" in float16: this backend has no kernels for it; use precision float32\./,
  );
});

test('constants of float16 are put on a device as float16', async () => {
  const compiled: DType[][] = [];
  const device: Device<Float32Array> = {
    info: { backend: 'noting', device: 'cpu', description: 'noting', versions: {} },
    float16: true,
    compile: ({ inputs, outputs, types }) => {
      compiled.push(inputs.map(({ value }) => types[value]!.dtype));
      return { run: () => outputs.map(() => new Float32Array(2)) };
    },
    read: (buffer) => buffer,
  };
  await using backend = backendOn(device);
  const { graph } = trace((x: Tensor) => x.mul(2), spec([2], 'float16'));
  await using _ = await backend.compile(graph, { constants: { input: hostArray([1, 2]) } });
  expect(compiled).toEqual([['float16'], ['float16']]);
  expect(backend.memory()).toEqual({ arrays: 1, bytes: 4, constantBytes: 4 });
});
