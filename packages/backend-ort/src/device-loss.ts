/**
 * DeviceLoss: what becomes of calls when the device goes away. In a browser ONNX Runtime waits for a lost WebGPU device for
 * ever (seen in onnxruntime-web 1.30), so every call is raced against the loss. In Node nothing but the error's text tells.
 */
import { DeviceLostError } from '@meanflow/core';
import { messageOf } from './runtime.js';

/** The part of a `GPUDevice` that is watched. */
interface WatchedDevice {
  readonly lost: Promise<{ readonly reason?: string; readonly message?: string }>;
}

/** What ONNX Runtime and CUDA say of a device that is gone: CUDA's errors here leave no context to go on in. */
const signs =
  /device (is|was|has been)? ?lost|gpu is lost|has fallen off the bus|CUDA failure (46|214|700|702|709|719|999)\b/i;

export class DeviceLoss {
  private error: DeviceLostError | undefined;
  private readonly waiting = new Set<(error: DeviceLostError) => void>();

  /** @param backend its name, for errors */
  constructor(private readonly backend: string) {}

  get isLost(): boolean {
    return this.error !== undefined;
  }

  /** Watches the device that ONNX Runtime for browsers computes on, once its first session is made. */
  async watch(env: object): Promise<void> {
    const { webgpu } = env as {
      readonly webgpu?: { readonly device?: Promise<Partial<WatchedDevice> | undefined> };
    };
    const device = await webgpu?.device;
    device?.lost?.then(
      ({ reason, message }) => this.lose([reason, message].filter(Boolean).join(': ')),
      () => undefined,
    );
  }

  /**
   * Makes a call, unless the device is lost before or meanwhile.
   *
   * @throws {DeviceLostError} then
   */
  async race<T>(call: () => Promise<T>): Promise<T> {
    if (this.error !== undefined) throw this.error;
    return new Promise<T>((resolve, reject) => {
      this.waiting.add(reject);
      call()
        .then(resolve, (error: unknown) => reject(this.explained(error)))
        .finally(() => this.waiting.delete(reject));
    });
  }

  /** Frees something on the device, which went with it where that is lost. */
  async unlessLost(free: () => Promise<void> | undefined): Promise<void> {
    try {
      if (!this.isLost) await this.race(async () => free());
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
    }
  }

  /** A failed call's error, which may say that the device is lost. */
  private explained(error: unknown): unknown {
    const message = messageOf(error);
    if (this.error === undefined && signs.test(message)) this.lose(message);
    return this.error ?? error;
  }

  private lose(reason: string): void {
    this.error ??= new DeviceLostError(this.backend, reason || 'for no reason that is told');
    for (const reject of this.waiting) reject(this.error);
    this.waiting.clear();
  }
}
