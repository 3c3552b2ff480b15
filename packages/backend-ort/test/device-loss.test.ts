/** How it is noticed that a device went away; what follows is core's. */
import { DeviceLostError } from '@meanflow/core';
import { deviceLoss, watchDevice } from '../src/device-loss.js';

it.each([
  'Uncaptured WebGPU error: Device is lost.',
  'CUDA failure 719: unspecified launch failure ; GPU=0',
  'CUDA failure 999: unknown error',
])('%p says that it is lost', async (message) => {
  const loss = deviceLoss('ort:cuda');
  await expect(loss.race(() => Promise.reject(new Error(message)))).rejects.toThrow(DeviceLostError);
});

it('other errors do not', async () => {
  const error = new Error('CUDA failure 2: out of memory');
  await expect(deviceLoss('ort:cuda').race(() => Promise.reject(error))).rejects.toBe(error);
});

it('the device of a browser is watched, where there is one', async () => {
  const loss = deviceLoss('ort:webgpu');
  await watchDevice(loss, {});
  await watchDevice(loss, { webgpu: {} });
  const lost = Promise.resolve({ reason: 'destroyed', message: '' });
  await watchDevice(loss, { webgpu: { device: Promise.resolve({ lost }) } });
  await lost;
  expect(() => loss.check()).toThrow('The device of ort:webgpu was lost (destroyed)');
});
