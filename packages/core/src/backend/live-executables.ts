/**
 * LiveExecutables: what a backend has compiled and not disposed of, and what it is compiling: a compilation that is under way
 * when the backend is disposed of is easily forgotten, and what it makes would then live for ever.
 */
import { DisposedError } from '../errors.js';

interface Disposable {
  dispose(): Promise<void>;
}

export class LiveExecutables<E extends Disposable> {
  private readonly live = new Set<E>();
  private readonly compiling = new Set<Promise<E>>();
  private closing: Promise<void> | undefined;

  /** @param backend its name, for errors */
  constructor(private readonly backend: string) {}

  /**
   * Compiles. What is ready only after `close()` is disposed of.
   *
   * @throws {DisposedError} after `close()`, and when that comes in the meantime
   */
  async compile(make: () => Promise<E>): Promise<E> {
    this.checkOpen();
    const made = this.keep(make());
    this.compiling.add(made);
    try {
      return await made;
    } finally {
      this.compiling.delete(made);
    }
  }

  private async keep(making: Promise<E>): Promise<E> {
    const executable = await making;
    if (this.closing === undefined) {
      this.live.add(executable);
      return executable;
    }
    await executable.dispose();
    throw this.disposed();
  }

  /** Forgets an executable that was disposed of. */
  remove(executable: E): void {
    this.live.delete(executable);
  }

  /** Disposes of all, once the compilations under way are done; calling it twice is allowed. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    const ready = Promise.all([...this.live].map((executable) => executable.dispose()));
    // One that fails is told once the compilations are done, and until then waits for it.
    const [disposed] = await Promise.allSettled([ready, ...this.compiling]);
    if (disposed.status === 'rejected') throw disposed.reason;
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw this.disposed();
  }

  private disposed(): DisposedError {
    return new DisposedError(`The backend ${this.backend} was disposed of.`);
  }
}
