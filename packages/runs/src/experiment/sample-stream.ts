/**
 * Samples of a model piece by piece, so that as many as FID takes need the memory of a few hundred: drawn, and decoded where they
 * are latents. Those that were drawn already are in `sample-files.ts`.
 */
import type { Backend, HostArray, CancellationSignal } from '@meanflow/core';
import { createDecoder, createSampler } from '@meanflow/samplers';
import { restoreKnown } from '@meanflow/data';
import { conditionRows, drawRequest, labelsLike } from './draw.js';
import { evaluationKey, type RowSource } from './evaluation.js';
import type { Generator, Labels } from './model.js';

/** Rows with the class that each was asked for. */
export interface SamplePiece {
  readonly samples: HostArray<'float32'>;
  readonly labels: Labels;
  /** Network evaluations for each sample; undefined where they were not drawn here. */
  readonly nfe: number | undefined;
}

/** Rows that are drawn from one key. The noise of a piece follows from its number, so that this is part of what a seed decides. */
const PIECE = 500;

export interface StreamOptions {
  readonly backend: Backend;
  readonly seed: number;
  readonly count: number;
  readonly nfe: number;
  /** Rows of each class in the data that samples are compared with; classes take turns where it is undefined. */
  readonly classCounts?: readonly number[] | undefined;
  /** What a model with conditions is given, and the classes of these rows. */
  readonly given?: RowSource | undefined;
  readonly signal?: CancellationSignal | undefined;
}

/**
 * `count` samples of a model, as many at once as fit on the device.
 *
 * @throws the signal's reason when it is aborted
 */
export async function* drawnPieces(
  model: Generator,
  { backend, seed, count, nfe, classCounts, given, signal }: StreamOptions,
): AsyncGenerator<SamplePiece> {
  const size = Math.min(PIECE, count);
  const { atOnce, decoder } = model;
  await using sampler = createSampler(backend, model.network, {
    ...{ params: model.params, borrow: true },
    ...(atOnce !== undefined && { batchSize: atOnce }),
  });
  await using decoding =
    decoder && createDecoder(backend, decoder, { batchSize: decoder.rows, borrow: true });
  const all = labelsLike(model, count + size, classCounts);
  for (let start = 0; start < count; start += size) {
    const key = evaluationKey(seed)
      .fold('piece')
      .fold(start / size);
    const rowsGiven = given?.(size, start);
    const conditions = rowsGiven?.conditions;
    const labels = all && (rowsGiven?.label ?? all.rows(start, start + size));
    // The last piece is as large as the others, for the same executable, and only as much of it is drawn as is needed.
    const request = drawRequest(model, { count: size, key, labels, conditions, nfe, signal });
    for await (const { start: before, samples, label, nfe: evaluations } of sampler.stream(request)) {
      const rows = Math.min(samples.shape[0]!, count - start - before);
      if (rows <= 0) break;
      const decoded =
        (await decoding?.decode(samples, signal && { signal })) ??
        restoreKnown(
          samples,
          conditionRows(conditions, before, before + samples.shape[0]!),
          model.data.imageShape,
        );
      yield {
        samples: decoded.rows(0, rows),
        labels: label?.to('int32').rows(0, rows),
        nfe: evaluations,
      };
    }
  }
}
