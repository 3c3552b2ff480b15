/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What types need of the platform, so that they hold in a program whose configuration knows neither DOM nor Node: the parts that
 * are used, by structure, which the platforms' own have.
 */

declare global {
  /** Zod's types name it. Empty, it is merged with the platform's own, where the program knows that. */
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface URL {}
}

/** The part of the platform's `AbortSignal` that runs look at. */
export interface CancellationSignal {
  readonly aborted: boolean;
  throwIfAborted(): void;
}

/** The part of the platform's `Blob`, or `File`, that is read. */
export interface BlobLike {
  readonly size: number;
  slice(start?: number, end?: number): BlobLike;
  arrayBuffer(): Promise<ArrayBuffer>;
}
