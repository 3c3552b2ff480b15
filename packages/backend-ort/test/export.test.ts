/** An exported model runs in plain ONNX Runtime, without this package, and computes what the graph does. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  add,
  ArgumentError,
  concat,
  gather,
  gelu,
  hostArray,
  HostArray,
  layerNorm,
  matmul,
  mul,
  RandomKey,
  silu,
  softmax,
  spec,
  trace,
  type Tensor,
} from '@meanflow/core';
import { halfToNumber, interpret, numberToHalf } from '@meanflow/core/backend';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, Version } from 'onnx-buf';
import * as ort from 'onnxruntime-node';
import { exportOnnx, type ExportOptions, type FileContent } from '../src/index.js';

const key = RandomKey.fromSeed(4);
const parameters = {
  'params/kernel': key.fold('kernel').normal([6, 40]),
  'params/unread': key.fold('unread').normal([5000]),
  'params/out': key.fold('out').normal([40, 6]),
};
const x = key.fold('x').normal([3, 6]);

type Input = Readonly<Record<string, Tensor>>;
const { graph } = trace(
  (given: Input) => {
    const hidden = softmax(gelu(silu(layerNorm(matmul(given.x, given['params/kernel'])))));
    // A transposed matrix in a stack, for which ONNX Runtime has an operator outside of the standard.
    const columns = concat([hidden, hidden]).reshape([2, 3, 40]).transpose([0, 2, 1]);
    const stacked = matmul(columns, concat([given.x, given.x]).reshape([2, 3, 6]));
    return {
      y: mul(add(matmul(hidden, given['params/out']), given.x), given.scale),
      stacked,
      twice: mul(given.x, 2),
    };
  },
  {
    x: spec([3, 6]),
    scale: spec([]),
    'params/kernel': spec([6, 40]),
    'params/unread': spec([5000]),
    'params/out': spec([40, 6]),
  },
  { name: 'exported' },
);

const options: ExportOptions = {
  inputs: { x: 'noise', scale: 'scale' },
  outputs: { y: 'image', stacked: 'stacked', twice: 'twice' },
  parameters,
  dataFile: 'model.onnx.data',
};

const expected = interpret(graph, { x, scale: hostArray(1.5), ...parameters });

/** All of a file's pieces, which are as long as it says. */
function whole({ byteLength, chunks }: FileContent): Uint8Array {
  const bytes = Buffer.concat([...chunks()]);
  expect(bytes).toHaveLength(byteLength);
  return bytes;
}

async function check(model: FileContent, wanted = expected): Promise<void> {
  const session = await ort.InferenceSession.create(whole(model));
  const outputs = await session.run({ noise, scale });
  for (const [path, name] of Object.entries(options.outputs)) {
    const got = outputs[name];
    expect(got.dims).toEqual([...wanted[path].shape]);
    const errors = Array.from(got.data as Float32Array, (value, i) => Math.abs(value - wanted[path].data[i]));
    expect(Math.max(...errors)).toBeLessThan(1e-5);
  }
  await session.release();
}

const scale = new ort.Tensor('float32', [1.5], []);
const noise = new ort.Tensor('float32', x.data, [3, 6]);

test('parameters in the model', async () => {
  const exported = exportOnnx(graph, options);
  expect(exported.data).toBeUndefined();
  expect(exported.inputs.map(({ name }) => name)).toEqual(['scale', 'noise']);
  expect(exported.outputs.map(({ name }) => name)).toEqual(['stacked', 'twice', 'image']);
  await check(exported.model);
});

test('parameters that are large lie in the file as they are, and are not copied', async () => {
  const wide = key.fold('wide').normal([6, 1000]);
  const traced = trace((given: Input) => ({ y: matmul(given.x, given.wide) }), {
    x: spec([3, 6]),
    wide: spec([6, 1000]),
  });
  const { model } = exportOnnx(traced.graph, {
    ...{ inputs: { x: 'x' }, outputs: { y: 'y' }, parameters: { wide }, dataFile: 'none' },
  });
  expect([...model.chunks()].filter(({ buffer }) => buffer === wide.data.buffer)).toHaveLength(1);
  const proto = fromBinary(ModelProtoSchema, whole(model));
  expect(proto.graph?.initializer.map(({ name, dims }) => [name, dims])).toEqual([['wide', [6n, 1000n]]]);
  const session = await ort.InferenceSession.create(whole(model));
  const { y } = await session.run({ x: new ort.Tensor('float32', x.data, [3, 6]) });
  const exact = interpret(traced.graph, { x, wide }).y;
  const errors = Array.from(y.data as Float32Array, (value, i) => Math.abs(value - exact.data[i]));
  expect(Math.max(...errors)).toBeLessThan(1e-5);
  await session.release();
});

test('parameters kept as float16 are half as long, and are widened before the model computes with them', async () => {
  const { model } = exportOnnx(graph, { ...options, storage: 'float16' });
  const rounded = Object.fromEntries(
    Object.entries(parameters).map(([path, { shape, data }]) => {
      const values = Float32Array.from(data, (value) => halfToNumber(numberToHalf(value)));
      return [path, new HostArray('float32', shape, values)];
    }),
  );
  await check(model, interpret(graph, { x, scale: hostArray(1.5), ...rounded }));
  const proto = fromBinary(ModelProtoSchema, whole(model));
  const kernel = proto.graph?.initializer.find(({ name }) => name === 'params/kernel');
  expect(kernel?.rawData).toHaveLength(2 * 6 * 40);
});

test('a number beyond float16 is an error', () => {
  const out = key.fold('out').normal([40, 6]);
  out.data[7] = 65_520;
  expect(() =>
    exportOnnx(graph, { ...options, parameters: { ...parameters, 'params/out': out }, storage: 'float16' }),
  ).toThrow(
    '"params/out" holds 65520 at element 7, beyond float16, whose largest is 65504. Keep this model in float32.',
  );
});

test('arrays begin at multiples of 4,096 bytes and are read from there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-export-'));
  try {
    const wide = {
      a: key.fold('a').normal([3, 1500]),
      b: key.fold('b').normal([1500, 4]),
    };
    const traced = trace((given: Input) => ({ y: matmul(matmul(given.x, given.a), given.b) }), {
      x: spec([2, 3]),
      a: spec([3, 1500]),
      b: spec([1500, 4]),
    });
    const input = key.fold('input').normal([2, 3]);
    const { model, data } = exportOnnx(traced.graph, {
      ...{ inputs: { x: 'x' }, outputs: { y: 'y' }, parameters: wide },
      ...{ dataFile: 'wide.data', largestInline: 1 },
    });
    // 18,000 bytes, then from 20,480 another 24,000.
    expect(data?.byteLength).toBe(44_480);
    const chunks = [...data!.chunks()];
    expect(chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0)).toBe(44_480);
    await writeFile(join(folder, 'wide.onnx'), whole(model));
    await writeFile(join(folder, 'wide.data'), Buffer.concat(chunks));
    const session = await ort.InferenceSession.create(join(folder, 'wide.onnx'));
    const { y } = await session.run({ x: new ort.Tensor('float32', input.data, [2, 3]) });
    const exact = interpret(traced.graph, { x: input, ...wide }).y;
    (y.data as Float32Array).forEach((value, i) =>
      expect(Math.abs(value - exact.data[i])).toBeLessThan(1e-4),
    );
    await session.release();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('only the operators of the ONNX standard, in a file format of its time', () => {
  const metadata = { classes: 'cat, dog' };
  const proto = fromBinary(ModelProtoSchema, whole(exportOnnx(graph, { ...options, metadata }).model));
  expect(proto.metadataProps).toMatchObject([{ key: 'classes', value: 'cat, dog' }]);
  expect(proto.irVersion).toBe(10n);
  expect(Number(proto.irVersion)).toBeLessThan(Version.IR_VERSION);
  expect(new Set(proto.graph?.node.map(({ domain }) => domain))).toEqual(new Set(['']));
  expect(proto.graph?.initializer.map(({ name }) => name)).not.toContain('params/unread');
});

test('what does not fit the graph is refused', () => {
  const { 'params/out': _, ...without } = parameters;
  expect(() => exportOnnx(graph, { ...options, parameters: without })).toThrow(
    'Input "params/out" of graph "exported" needs either a name',
  );
  expect(() => exportOnnx(graph, { ...options, outputs: { y: 'image' } })).toThrow(
    'Output "stacked" of graph "exported" needs a name',
  );
  const outputs = { ...options.outputs, y: 'noise' };
  expect(() => exportOnnx(graph, { ...options, outputs })).toThrow('The name "noise" is given twice');
  const wrong = { ...options, parameters: { ...parameters, 'params/out': hostArray([1, 2]) } };
  expect(() => exportOnnx(graph, wrong)).toThrow(ArgumentError);
  expect(() => exportOnnx(graph, wrong)).toThrow('must be float32[40, 6], got float32[2]');
});

test('a class that the model does not have gives NaN, and never another class', async () => {
  const table = key.fold('table').normal([3, 2]);
  const { graph: lookup } = trace(
    (given: Input) => ({ y: gather(given['params/table'], given.label) }),
    { label: spec([5], 'int32'), 'params/table': spec([3, 2]) },
    { name: 'lookup' },
  );
  const { model } = exportOnnx(lookup, {
    inputs: { label: 'label' },
    outputs: { y: 'y' },
    parameters: { 'params/table': table },
    dataFile: 'model.data',
  });
  const session = await ort.InferenceSession.create(Buffer.concat([...model.chunks()]));
  const label = new ort.Tensor('int32', Int32Array.of(1, -1, 3, 2, -3), [5]);
  const { y } = await session.run({ label });
  const [, b, c] = [0, 1, 2].map((row) => [...table.data.subarray(2 * row, 2 * row + 2)]);
  const none = [NaN, NaN];
  expect([...(y.data as Float32Array)]).toEqual([b, none, none, c, none].flat());
  await session.release();
});
