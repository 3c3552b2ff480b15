/** How ONNX Runtime tells that a device is gone: in browsers by the device itself, in Node by nothing but an error's text. */
import { DeviceLoss, type LossReport } from '@meanflow/core/backend';

/** CUDA's errors here leave no context to go on in. */
const sign =
  /device (is|was|has been)? ?lost|gpu is lost|has fallen off the bus|CUDA failure (46|214|700|702|709|719|999)\b/i;

/** @param backend its name, for errors */
export const deviceLoss = (backend: string): DeviceLoss => new DeviceLoss(backend, sign);

/** Watches the device that ONNX Runtime for browsers computes on, once its first session is made. */
export async function watchDevice(loss: DeviceLoss, env: object): Promise<void> {
  const { webgpu } = env as {
    readonly webgpu?: { readonly device?: Promise<{ readonly lost?: Promise<LossReport> } | undefined> };
  };
  const lost = (await webgpu?.device)?.lost;
  if (lost !== undefined) loss.watch(lost);
}
