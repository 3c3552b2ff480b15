/** The adapter of WebGPU, as the platform or the package `webgpu` reports it. */
import { describeAdapter, findAdapter, inspectWebgpu, requireGpu } from '../../src/backend-door.js';
import { BackendError } from '../../src/index.js';

const info = { vendor: 'acme', architecture: 'rocket', device: '', description: 'Acme Rocket 9' };
const limits = { maxBufferSize: 7, maxStorageBufferBindingSize: 3 * 2 ** 20 };
const gpuWith = (adapter: object | null) => ({ create: () => ({ requestAdapter: async () => adapter }) });

test('what adapter there is, for those who ask', async () => {
  const report = await inspectWebgpu({ gpu: gpuWith({ info, limits }) });
  expect(report).toMatchObject({ name: 'acme rocket Acme Rocket 9', ...info, isSoftware: false });
  expect(report.limits.maxBufferSize).toBe(7);
});

test.each([
  [{ info: { ...info, description: 'llvmpipe' }, limits }, 'acme rocket llvmpipe'],
  [{ info: { ...info, isFallbackAdapter: true }, limits }, 'acme rocket Acme Rocket 9'],
  [{ info, limits, isFallbackAdapter: true }, 'acme rocket Acme Rocket 9'],
])('one in software is refused unless it is allowed', async (adapter, name) => {
  const gpu = await requireGpu('mine:webgpu', gpuWith(adapter));
  const refused = findAdapter('mine:webgpu', gpu);
  await expect(refused).rejects.toThrow(BackendError);
  await expect(refused).rejects.toThrow(
    `mine:webgpu was asked for, but the only adapter found computes in software: ${name}.`,
  );
  const taken = await findAdapter('mine:webgpu', gpu, { allowSoftware: true });
  expect(describeAdapter(taken)).toBe(`${name}, in software; buffers of 3 MiB`);
});

test('what is missing is said, with what to install', async () => {
  await expect(requireGpu('mine:webgpu')).rejects.toThrow(/mine:webgpu was asked for.*npm install webgpu/);
  await expect(requireGpu('mine:webgpu', {})).rejects.toThrow('the package `webgpu`');
  const none = await requireGpu('mine:webgpu', gpuWith(null));
  await expect(findAdapter('mine:webgpu', none)).rejects.toThrow(/found no adapter.*libvulkan/);
});
