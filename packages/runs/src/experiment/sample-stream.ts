/**
 * Samples of a model piece by piece, so that as many as FID takes need the memory of a few hundred: drawn, and decoded where they
 * are latents. Those that were drawn already are in `sample-files.ts`.
 */
import type { Backend, HostArray } from '@meanflow/core';
import { createSampler, decodeSamples } from '@meanflow/samplers';
import { drawSamples, labelsLike } from './draw.js';
import { evaluationKey } from './evaluation.js';
import type { Generator, Labels } from './model.js';

/** Rows with the class that each was asked for. */
export interface SamplePiece {
  readonly samples: HostArray<'float32'>;
  readonly labels: Labels;
  /** Network evaluations for each sample; undefined where they were not drawn here. */
  readonly nfe: number | undefined;
}

/** Rows of a piece. The noise of a piece follows from its number, so that this is part of what a seed decides. */
const PIECE = 500;

export interface StreamOptions {
  readonly backend: Backend;
  readonly seed: number;
  readonly count: number;
  readonly nfe: number;
  /** Rows of each class in the data that samples are compared with; classes take turns where it is undefined. */
  readonly classCounts?: readonly number[] | undefined;
}

/** `count` samples of a model. */
export async function* drawnPieces(
  model: Generator,
  { backend, seed, count, nfe, classCounts }: StreamOptions,
): AsyncGenerator<SamplePiece> {
  const size = Math.min(PIECE, count);
  const { atOnce, decoder } = model;
  const sampler = createSampler(backend, model.network, atOnce === undefined ? {} : { batchSize: atOnce });
  try {
    const all = labelsLike(model, count + size, classCounts);
    for (let start = 0; start < count; start += size) {
      const key = evaluationKey(seed)
        .fold('piece')
        .fold(start / size);
      const labels = all?.rows(start, start + size);
      const drawn = await drawSamples(sampler, model, { count: size, key, labels, nfe });
      const samples =
        decoder === undefined
          ? drawn.samples
          : await decodeSamples(backend, decoder, drawn.samples, { batchSize: decoder.rows, borrow: true });
      const rows = Math.min(size, count - start);
      yield { samples: samples.rows(0, rows), labels: labels?.rows(0, rows), nfe: drawn.nfe };
    }
  } finally {
    await sampler.dispose();
  }
}
