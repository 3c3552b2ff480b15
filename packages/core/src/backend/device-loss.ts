/**
 * DeviceLoss: what becomes of calls when the device goes away. A library may wait for a lost device for ever (ONNX Runtime for
 * browsers does), so a call can be raced against the loss; another tells it by the text of an error alone.
 */
import { DeviceLostError } from '../errors.js';
import { messageOf } from './load-module.js';

/** What a `GPUDevice` promises to tell. */
export interface LossReport {
  readonly reason?: string;
  readonly message?: string;
}

export class DeviceLoss {
  private error: DeviceLostError | undefined;
  private readonly waiting = new Set<(error: DeviceLostError) => void>();

  /**
   * @param backend its name, for errors
   * @param sign what the library's errors say of a device that is gone
   */
  constructor(
    private readonly backend: string,
    private readonly sign?: RegExp,
  ) {}

  get isLost(): boolean {
    return this.error !== undefined;
  }

  /** Watches a device: `GPUDevice.lost`. */
  watch(lost: Promise<LossReport>): void {
    lost.then(
      ({ reason, message }) => this.lose([reason, message].filter(Boolean).join(': ')),
      () => undefined,
    );
  }

  /** @throws {DeviceLostError} when the device is lost */
  check(): void {
    if (this.error !== undefined) throw this.error;
  }

  /**
   * Makes a call, unless the device is lost before or meanwhile.
   *
   * @throws {DeviceLostError} then
   */
  async race<T>(call: () => Promise<T>): Promise<T> {
    this.check();
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
    if (this.error === undefined && this.sign?.test(message) === true) this.lose(message);
    return this.error ?? error;
  }

  private lose(reason: string): void {
    this.error ??= new DeviceLostError(this.backend, reason || 'for no reason that is told');
    for (const reject of this.waiting) reject(this.error);
    this.waiting.clear();
  }
}
