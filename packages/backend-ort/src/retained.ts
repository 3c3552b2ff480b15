/**
 * Retained: something that is freed once it is closed and nothing uses it any more. GPU buffers use the session that
 * made them: the process would end if they were freed after it.
 */
export class Retained {
  private users = 0;
  private closed = false;

  constructor(private readonly free: () => Promise<void>) {}

  retain(): void {
    this.users += 1;
  }

  release(): void {
    this.users -= 1;
    if (this.closed && this.users === 0) void this.free();
  }

  /** Frees it now, or when the last user releases it. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.users === 0) await this.free();
  }
}
