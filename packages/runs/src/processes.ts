/** What every process that works on runs does alike: the signals that ask it to stop, and streams that nobody reads any more. */

/** The signals that ask to stop. */
export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignalName = (typeof stopSignals)[number];

/**
 * Lets what is written to a stream that nobody reads any more go nowhere: a pipe into `head`, a terminal or an ssh session that was
 * closed. A run that trains for days does not end because of it.
 */
export function outliveReaders(...streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!GONE.has(error.code ?? '')) throw error;
    });
  }
}

/** How a stream says that nobody reads it: EIO is a terminal's way. */
const GONE = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);
