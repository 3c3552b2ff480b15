/** A device that goes away: calls that wait for it end, later ones are refused, and what is said in words is understood. */
import { DeviceLoss } from '../../src/backend-door.js';
import { BackendError, DeviceLostError } from '../../src/index.js';

const never = () => new Promise<never>(() => undefined);

function watched() {
  let lose = (_: { reason: string; message: string }): void => undefined;
  const lost = new Promise<{ reason: string; message: string }>((resolve) => (lose = resolve));
  return { lost, lose };
}

it('a call that would wait for ever ends, and others are not begun', async () => {
  const loss = new DeviceLoss('ort:webgpu');
  const { lost, lose } = watched();
  loss.watch(lost);
  expect(await loss.race(async () => 3)).toBe(3);
  const hanging = loss.race(never);
  lose({ reason: 'destroyed', message: 'device was destroyed' });
  await expect(hanging).rejects.toThrow(DeviceLostError);
  await expect(hanging).rejects.toThrow(
    'The device of ort:webgpu was lost (destroyed: device was destroyed), and all that lay on it.',
  );
  let begun = false;
  await expect(loss.race(async () => (begun = true))).rejects.toThrow(DeviceLostError);
  expect(begun).toBe(false);
  // There is nothing left to free.
  await loss.unlessLost(never);
});

it('freeing that waits when the device goes is done', async () => {
  const loss = new DeviceLoss('ort:webgpu');
  const { lost, lose } = watched();
  loss.watch(lost);
  const freeing = loss.unlessLost(never);
  lose({ reason: '', message: '' });
  await freeing;
  await expect(loss.unlessLost(() => Promise.reject(new Error('no')))).resolves.toBeUndefined();
});

it.each([
  'Uncaptured WebGPU error: Device is lost.',
  'CUDA failure 719: unspecified launch failure ; GPU=0',
  'CUDA failure 999: unknown error',
])('%p says that it is lost', async (message) => {
  const loss = new DeviceLoss('ort:cuda', /device is lost|CUDA failure (719|999)/i);
  await expect(loss.race(() => Promise.reject(new Error(message)))).rejects.toThrow(DeviceLostError);
  expect(loss.isLost).toBe(true);
});

it('other errors are passed on as they are', async () => {
  const loss = new DeviceLoss('ort:cpu', /CUDA failure 719/);
  const error = new BackendError('CUDA failure 2: out of memory');
  await expect(loss.race(() => Promise.reject(error))).rejects.toBe(error);
  await expect(loss.unlessLost(() => Promise.reject(error))).rejects.toBe(error);
  expect(loss.isLost).toBe(false);
});
