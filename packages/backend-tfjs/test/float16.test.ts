/**
 * float16: on WebGPU in buffers of half the size where the adapter has `shader-f16` (Mesa's lavapipe has it, SwiftShader has
 * not), and elsewhere refused, with what to do. That values are right is the conformance kit's.
 */
import {
  autocast,
  cast,
  HostArray,
  matmul,
  referenceBackend,
  relu,
  spec,
  sum,
  trace,
  type Tensor,
} from '@meanflow/core';
import { packHalves, unpackHalves } from '../src/webgpu/halves.js';
import type { TfjsBackend } from '../src/index.js';
import { backend, normal, noWebgpu, open } from './support.js';

const { graph } = trace(
  ({ kept, x, w }: Record<'kept' | 'x' | 'w', Tensor>) => {
    const wide = cast(w, 'float32');
    const y = autocast((rows: Tensor) => relu(matmul(rows, wide)))(x);
    const next = kept.mul(0.5).add(cast(y, 'float16'));
    return { kept: next, total: sum(next, 1), y };
  },
  { kept: spec([5, 7], 'float16'), x: spec([5, 3]), w: spec([3, 7], 'float16') },
  { name: 'half' },
);
const inputs = { x: normal([5, 3]), w: normal([3, 7], 'w') };
const kept = normal([5, 7], 'kept');

test('numbers are packed two by two, and an odd one out', () => {
  const values = new HostArray('float32', [3], Float32Array.of(1, -2, 65504));
  const packed = packHalves(values);
  expect([packed.dtype, packed.shape]).toEqual(['int32', [2]]);
  expect([...unpackHalves(packed.data, 3)]).toEqual([1, -2, 65504]);
});

test.each(['cpu', 'wasm'] as const)('tfjs:%s refuses it', async (device) => {
  await expect((await backend(device)).compile(graph)).rejects.toThrow(
    `tfjs:${device} does not compute graph "half" in float16: tfjs has no arrays of it. Choose precision float32, or`,
  );
});

/** Undefined where there is no WebGPU; whether it has float16 where there is. */
const hasHalves: boolean | undefined =
  noWebgpu === undefined
    ? await open('webgpu').then(async (opened) => {
        await using device = opened;
        return await device.compile(graph).then(
          async (executable) => {
            await executable.dispose();
            return true;
          },
          (error: Error) => {
            if (!error.message.includes('the adapter has no "shader-f16"')) throw error;
            return false;
          },
        );
      })
    : undefined;

(hasHalves === false ? test : test.skip)('an adapter without it refuses, with what to do', async () => {
  await using opened = await open('webgpu');
  await expect(opened.compile(graph)).rejects.toThrow(
    /tfjs:webgpu does not compute graph "half" in float16: the adapter has no "shader-f16".* Choose precision float32/,
  );
});

const why = {
  true: '',
  false:
    ' (skipped: the adapter has no "shader-f16"; lavapipe of Mesa 25 has it: install mesa-vulkan-drivers and point VK_ICD_FILENAMES to its lvp_icd json)',
  undefined: ' (skipped: there is no WebGPU adapter)',
}[`${hasHalves}`];

describe.each(['tiles', 'registers', 'tfjs'] as const)(`on WebGPU, products by %s${why}`, (products) => {
  const onHalves = hasHalves === true ? test : test.skip;
  const run = async (on: TfjsBackend | ReturnType<typeof referenceBackend>) => {
    await using executable = await on.compile(graph, { state: { kept: 'kept' }, constants: { w: inputs.w } });
    const first = await executable.run({ kept, x: inputs.x });
    const second = await executable.run({ kept: first.kept!, x: inputs.x });
    return Promise.all(
      [second.kept!, second.total!, second.y!].map(async (array) => [...(await array.read()).data]),
    );
  };

  onHalves('a state, constants and products are those of the interpreter', async () => {
    await using opened = await open('webgpu', { fusion: { products, directProduct: 0 } });
    const [got, expected] = [await run(opened), await run(referenceBackend())];
    expected.forEach((values, k) =>
      values.forEach((value, i) =>
        expect(Math.abs(got[k]![i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -9 + 2 ** -12),
      ),
    );
  });

  onHalves('kernels read and write half the bytes', async () => {
    const bytesOf = async (dtype: 'float32' | 'float16') => {
      const double = trace((x: Tensor) => x.mul(2), spec([64, 64], dtype)).graph;
      await using opened = await open('webgpu', { fusion: { products } });
      await using executable = await opened.compile(double);
      const output = await executable.run({ input: normal([64, 64]) });
      await Object.values(output)[0]!.read();
      return executable.program.bytesPerRun;
    };
    expect(await bytesOf('float16')).toBe((await bytesOf('float32')) / 2);
  });
});
