/**
 * What is fuzzed: a parser, as the product calls it, with small files that it reads. A target is one file in `targets/`,
 * and one line in its index.
 */

/** A file that a parser reads, and how. */
export interface Seed {
  /** What it is, for reports. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * Reads a file all through, as the product does.
   *
   * @param bytes the seed, or what became of it
   * @throws MeanflowError for what is wrong with the file, and nothing else
   */
  read(bytes: Uint8Array): unknown;
}

export interface Target {
  readonly name: string;
  /** The seeds; made or read once. */
  seeds(): Promise<readonly Seed[]> | readonly Seed[];
  /** Whether the files are our own, with checksums: then every single bit that is flipped is refused. */
  readonly refusesFlips?: boolean;
  /** Words of the format, which are put into files. */
  readonly words?: readonly string[];
  /** Most bytes by which the process may grow for one file; 256 MiB by default. */
  readonly memory?: number;
  /** Most seconds that one file may take; 10 by default, many times what the slowest takes. */
  readonly seconds?: number;
}
