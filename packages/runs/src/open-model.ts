/**
 * Opening a model by one call, whatever it is: a checkpoint of a run, a model that was saved alone, or one that was imported; from bytes,
 * a Blob or a URL. Nothing here knows Node.
 */
import { MODEL_FORMAT, readDecoder, readModel } from '@meanflow/checkpoints';
import {
  ArgumentError,
  DataError,
  type Backend,
  type Shape,
  type BlobLike,
  type CancellationSignal,
} from '@meanflow/core';
import { describeValue } from '@meanflow/core/validation';
import { blobAccess, bytesAccess, readSafetensors, type RandomAccess } from '@meanflow/formats';
import type { AnyNetwork } from '@meanflow/models';
import { readCheckpoint } from '@meanflow/training';
import { channelsLast, importedGenerator, withDecoder } from './experiment/generator.js';
import {
  checkFiniteParameters,
  modelOfCheckpoint,
  savedModelChunks,
  type DataFacts,
  type Generator,
  type Model,
} from './experiment/model.js';
import {
  drawPlanned,
  planSamples,
  streamPlanned,
  type SampleChoice,
  type Samples,
} from './experiment/sample.js';

/** The platform's `URL`, or what is like it. */
export interface Address {
  readonly href: string;
}

/** Where a model is: an address, or what it holds; what the platform has as `URL`, `Blob` and `File`. */
export type ModelSource = Address | BlobLike | Uint8Array;

export interface OpenModelOptions<Source = ModelSource> {
  /** Of a checkpoint: the average to sample with, by its decay or half-life, or "none" for the parameters themselves. */
  readonly average?: string | undefined;
  /** A model file with the decoder of an autoencoder, for models of latents. */
  readonly decoder?: Source | undefined;
  readonly signal?: CancellationSignal | undefined;
}

/** What to draw, and where. */
export interface SampleRequest extends SampleChoice {
  readonly backend: Backend;
  readonly signal?: CancellationSignal;
}

/** A model that is open: what it is, and samples of it. */
export class OpenModel {
  /**
   * @param generator what samples are drawn from
   * @param trained of a model that was trained here: its configuration, its step and its parameters
   */
  constructor(
    readonly generator: Generator,
    readonly trained: Model | undefined,
  ) {}

  /** What its samples are: their shape, their columns or classes, their units. */
  get data(): DataFacts {
    return this.generator.data;
  }

  get network(): AnyNetwork {
    return this.generator.network;
  }

  /** Of a sample, such as `[2]` or `[height, width, channels]`. */
  get shape(): Shape {
    return this.data.imageShape ?? this.data.featureShape;
  }

  /** The classes by name; undefined for a model that knows none. */
  get classes(): readonly string[] | undefined {
    return this.network.classCount === undefined ? undefined : this.data.classNames;
  }

  /**
   * Draws samples; `meanflow sample` draws the same from the same seed.
   *
   * @throws {ArgumentError} when the model has no such class, was not made for guidance, or evaluations and solver do not fit
   * @throws the signal's reason when it is aborted
   */
  async sample(request: SampleRequest): Promise<Samples> {
    const { backend, signal, ...choice } = checkRequest(request);
    return drawPlanned(planSamples(this.generator, choice), backend, { signal });
  }

  /**
   * Draws samples, so many at once as fit on the device: `for await (const { values } of model.stream(request))`. A loop may be left at
   * any of them.
   *
   * @throws as `sample`
   */
  async *stream(request: SampleRequest): AsyncGenerator<Samples, void, undefined> {
    const { backend, signal, ...choice } = checkRequest(request);
    yield* streamPlanned(planSamples(this.generator, choice), backend, { signal });
  }

  /**
   * The model alone, as a file's pieces: parameters, configuration and the facts of its data, without the state of a training.
   *
   * @throws {ArgumentError} for an imported model, whose file holds nothing else already
   */
  toChunks(): Uint8Array[] {
    if (this.trained !== undefined) return savedModelChunks(this.trained);
    throw new ArgumentError('An imported model is a model alone already: copy its file.');
  }
}

/**
 * Opens a model.
 *
 * @throws {DataError} when it cannot be fetched, is damaged, or is no model; or its parameters are not finite
 * @throws {ArgumentError} when it keeps no such average, or its samples are not what the decoder takes
 */
export async function openModel(source: ModelSource, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { decoder, signal } = options;
  const { generator, trained } = await readOpenModel(await accessOf(source, signal), options.average);
  if (decoder === undefined) return new OpenModel(generator, trained);
  const access = await accessOf(decoder, signal);
  return new OpenModel(withDecoder(generator, await readDecoder(access), access.source), trained);
}

/** A model file or a checkpoint, as its header says. */
export async function readOpenModel(access: RandomAccess, average: string | undefined): Promise<OpenModel> {
  const { metadata } = await readSafetensors(access);
  if (metadata.format !== MODEL_FORMAT)
    return openTrained(await modelOfCheckpoint(await readCheckpoint(access), average));
  if (average !== undefined) {
    throw new ArgumentError(
      `--average: "${access.source}" is an imported model, which has one set of parameters.`,
    );
  }
  return new OpenModel(checked(importedGenerator(await readModel(access)), access.source), undefined);
}

/** A model of a run that is at hand. */
export function openTrained(model: Model, source = model.origin): OpenModel {
  return new OpenModel(checked(model, source), model);
}

/** @throws {ArgumentError} unless a backend is there: its name alone computes nothing */
function checkRequest(request: SampleRequest): SampleRequest {
  const backend: unknown = (request as SampleRequest | undefined)?.backend;
  if (typeof backend === 'object' && backend !== null && 'compile' in backend) return request;
  throw new ArgumentError(
    `sample: backend is an open one, such as await openBackend('ort:cpu'), got ${describeValue(backend)}.`,
  );
}

function checked(generator: Generator, source: string): Generator {
  checkFiniteParameters(generator.params, `"${source}"`);
  return channelsLast(generator);
}

/** @throws {ArgumentError} when it is no such source @throws {DataError} when it cannot be fetched */
async function accessOf(source: ModelSource, signal: CancellationSignal | undefined): Promise<RandomAccess> {
  if (source instanceof Uint8Array) return bytesAccess(source, 'The model');
  if (typeof source !== 'object' || source === null || !('slice' in source || 'href' in source)) {
    const given = describeValue(source);
    throw new ArgumentError(
      `A model is opened from a URL, a Blob or bytes, got ${given}: new URL(…) makes one of a text.`,
    );
  }
  signal?.throwIfAborted();
  if ('slice' in source) return blobAccess(source, 'name' in source ? String(source.name) : 'The model');
  const response = await fetch(source.href, signal instanceof AbortSignal ? { signal } : {});
  if (!response.ok) throw new DataError(`${source.href} cannot be fetched: status ${response.status}.`);
  return blobAccess(await response.blob(), source.href);
}
