/**
 * What samples go through in the end, such as the decoder of an autoencoder: as part of a sampler's graph
 * (`sampleGraph`), or on a backend after sampling, a few rows at a time, since pictures take far more memory than
 * the latents that they are made of.
 */
import {
  ArgumentError,
  checkOptions,
  describeValue,
  DTypeError,
  HostArray,
  ShapeError,
  sizeOf,
  spec,
  toHostArray,
  trace,
  treeFlatten,
  type Backend,
  type CancellationSignal,
  type SpecLeaf,
  type Tensor,
  type Tree,
} from '@meanflow/core';

/** What samples go through in the end. */
export interface SampleDecoder {
  /** Its parameters, of which tracing uses only dtypes and shapes; an empty tree where it has none. */
  readonly params: Tree<SpecLeaf>;
  /** @param samples float32 `[rows, ...features]` */
  apply(params: Tree<Tensor>, samples: Tensor): Tensor;
}

export interface DecodeOptions {
  /** Rows that are on the device at once; 1 by default. */
  readonly batchSize?: number;
  readonly signal?: CancellationSignal;
  /** Called after each batch. */
  readonly onProgress?: (done: number, count: number) => void;
  /**
   * Lends samples and parameters: the caller leaves their memory as it is until the images are there, and they are not
   * copied. False by default.
   */
  readonly borrow?: boolean;
}

/**
 * Decodes samples on a backend.
 *
 * @param decoder its `params` are read at the call, and so must be arrays
 * @param given samples, float32 `[count, ...features]`
 * @returns float32 `[count, ...decoded features]`
 * @throws {ShapeError} when there are no samples
 * @throws {DTypeError} when samples or a parameter are no HostArray
 * @throws {ArgumentError} when `batchSize` is no positive whole number
 * @throws the signal's reason when it is aborted
 */
export async function decodeSamples(
  backend: Backend,
  { apply, params }: SampleDecoder & { readonly params: Tree<HostArray> },
  given: HostArray,
  options: DecodeOptions = {},
): Promise<HostArray<'float32'>> {
  checkOptions<DecodeOptions>('decodeSamples', options, {
    batchSize: true,
    signal: true,
    onProgress: true,
    borrow: true,
  });
  const { batchSize = 1, signal, onProgress, borrow = false } = options;
  const take = (what: string, value: HostArray): HostArray => {
    const array = toHostArray(value);
    if (array === undefined) throw new DTypeError(`${what} is a HostArray, got ${describeValue(value)}.`);
    return borrow ? array : array.clone();
  };
  const samples = take('decodeSamples: samples', given);
  const [count = 0, ...features] = samples.shape;
  if (count < 1) throw new ShapeError(`Samples to decode are [count, ...features], got ${samples}.`);
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError(`batchSize is a positive whole number, got ${batchSize}.`);
  }
  const { leaves, structure } = treeFlatten<HostArray>(params);
  const parameters = Object.fromEntries(
    structure.paths.map((path, i) => [`decoder/${path}`, take(`decodeSamples: params "${path}"`, leaves[i])]),
  );
  const parts: HostArray[] = [];
  const decode = async (start: number, end: number): Promise<void> => {
    const rows = Math.min(batchSize, end - start);
    const { graph } = trace(
      ({ samples: z, ...given }: Readonly<Record<string, Tensor>>) => ({
        decoded: apply(structure.unflatten(structure.paths.map((path) => given[`decoder/${path}`])), z),
      }),
      { ...parameters, samples: spec([rows, ...features]) } as Record<string, SpecLeaf>,
      { name: 'decoder' },
    );
    const executable = await backend.compile(graph);
    try {
      for (let row = start; row < end; row += rows) {
        signal?.throwIfAborted();
        const inputs = { ...parameters, samples: samples.rows(row, row + rows) };
        const { decoded } = await executable.run(inputs, { borrow: true, ...(signal && { signal }) });
        try {
          parts.push(await decoded.read());
        } finally {
          decoded.dispose();
        }
        onProgress?.(row + rows, count);
      }
    } finally {
      await executable.dispose();
    }
  };
  // What is left over has a shape, and so an executable, of its own.
  const whole = count - (count % batchSize);
  if (whole > 0) await decode(0, whole);
  if (whole < count) await decode(whole, count);
  const shape = [count, ...parts[0].shape.slice(1)];
  const joined = new Float32Array(sizeOf(shape));
  let at = 0;
  for (const { data } of parts) {
    joined.set(data, at);
    at += data.length;
  }
  return new HostArray('float32', shape, joined);
}
