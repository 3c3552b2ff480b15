/**
 * What samples go through in the end, such as the decoder of an autoencoder: as part of a sampler's graph
 * (`sampleGraph`), or on a backend after sampling, a few rows at a time, since pictures take far more memory than
 * the latents that they are made of.
 */
import {
  ArgumentError,
  DisposedError,
  DTypeError,
  HostArray,
  ShapeError,
  spec,
  trace,
  treeFlatten,
  treeRecord,
  type Backend,
  type CancellationSignal,
  type Executable,
  type Shape,
  type SpecLeaf,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { checkOptions, describeValue, pick, toHostArray } from '@meanflow/core/validation';

/** What samples go through in the end. */
export interface SampleDecoder {
  /** Its parameters, of which tracing uses only dtypes and shapes; an empty tree where it has none. */
  readonly params: Tree<SpecLeaf>;
  /** @param samples float32 `[rows, ...features]` */
  apply(params: Tree<Tensor>, samples: Tensor): Tensor;
}

export interface DecoderOptions {
  /** Rows that are on the device at once; 1 by default. */
  readonly batchSize?: number;
  /**
   * Lends parameters and samples: the caller leaves their memory as it is, that of parameters while the decoder lives, that
   * of samples until their images are there, and they are not copied. False by default.
   */
  readonly borrow?: boolean;
}

/** A decoder on one backend. Dispose of it to free its executables. */
export interface Decoder {
  /**
   * @param samples float32 `[count, ...features]`
   * @returns float32 `[count, ...decoded features]`
   * @throws {ShapeError} when there are no samples
   * @throws {DTypeError} when samples are no HostArray
   * @throws the signal's reason when it is aborted
   */
  decode(
    samples: HostArray,
    options?: { readonly signal?: CancellationSignal },
  ): Promise<HostArray<'float32'>>;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A decoder on a backend, compiled when it is first used.
 *
 * @param decoder its `params` are read at the call, and so must be arrays
 * @throws {DTypeError} when a parameter is no HostArray
 * @throws {ArgumentError} when `batchSize` is no positive whole number
 */
export function createDecoder(
  backend: Backend,
  { apply, params }: SampleDecoder & { readonly params: Tree<HostArray> },
  options: DecoderOptions = {},
): Decoder {
  checkOptions<DecoderOptions>('createDecoder', options, { batchSize: true, borrow: true });
  const { batchSize = 1, borrow = false } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError(`batchSize is a positive whole number, got ${batchSize}.`);
  }
  const { leaves, structure } = treeFlatten<HostArray>(params);
  const parameters: Readonly<Record<string, HostArray>> = Object.fromEntries(
    leaves.map((leaf, i) => {
      const array = hostArrayOf(`createDecoder: params "${structure.paths[i]}"`, leaf);
      return [structure.paths[i], borrow ? array : array.clone()];
    }),
  );
  const compileFor = (shape: Shape): Promise<Executable> => {
    const { graph } = trace(
      (given) => ({ decoded: apply(structure.unflatten(Object.values(given.decoder)), given.samples) }),
      { decoder: parameters, samples: spec(shape) },
      { name: 'decoder' },
    );
    return backend.compile(graph, { constants: treeRecord({ decoder: parameters }), borrow: true });
  };
  const programs = new Map<string, Promise<Executable>>();
  let disposing: Promise<void> | undefined;
  const programFor = (shape: Shape): Promise<Executable> => {
    if (disposing !== undefined) throw new DisposedError('decode: the decoder was disposed of.');
    const key = shape.join();
    const found = programs.get(key) ?? compileFor(shape);
    programs.set(key, found);
    // A failed compilation is reported to the caller and forgotten.
    found.catch(() => programs.delete(key));
    return found;
  };
  const disposeAll = async (): Promise<void> => {
    const compiled = await Promise.allSettled(programs.values());
    for (const result of compiled) if (result.status === 'fulfilled') await result.value.dispose();
  };
  const dispose = (): Promise<void> => (disposing ??= disposeAll());

  return {
    async decode(given, { signal } = {}) {
      const lent = hostArrayOf('decode: samples', given);
      const samples = borrow ? lent : lent.clone();
      const [count = 0, ...features] = samples.shape;
      if (count < 1) throw new ShapeError(`Samples to decode are [count, ...features], got ${samples}.`);
      const parts: HostArray<'float32'>[] = [];
      for (let start = 0; start < count; start += batchSize) {
        signal?.throwIfAborted();
        const end = Math.min(count, start + batchSize);
        const rows = samples.rows(start, end);
        const program = await programFor([end - start, ...features]);
        const results = await program.run({ samples: rows }, { borrow: true, ...(signal && { signal }) });
        const { decoded } = pick(results, 'decoded');
        try {
          parts.push((await decoded.read()).to('float32'));
        } finally {
          decoded.dispose();
        }
      }
      return HostArray.joinRows(parts);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function hostArrayOf(what: string, value: HostArray): HostArray {
  const array = toHostArray(value);
  if (array === undefined) throw new DTypeError(`${what} is a HostArray, got ${describeValue(value)}.`);
  return array;
}
