/**
 * A trained classifier, ready to judge images: its logits say which class they show, and its features are compared as
 * Inception's are. Compiled once for a number of images; any number is judged in as many runs as that takes.
 */
import {
  ArgumentError,
  compile,
  HostArray,
  ShapeError,
  sizeOf,
  spec,
  trace,
  type Backend,
  type CompiledFunction,
  type DeviceArray,
  type TensorSpec,
} from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import type { ExtractedFeatures, FeatureExtractor } from '@meanflow/metrics';
import {
  classifierNetwork,
  type ClassifierConfig,
  type ClassifierOutputs,
  type ClassifierParameters,
} from './network.js';

/** A classifier's parameters with all that decided them. */
export interface ClassifierModel {
  /** Name of the data that it learnt from. */
  readonly data: string;
  /** What identifies the data beyond their name; undefined where that was not asked for. */
  readonly fingerprint?: string;
  readonly config: ClassifierConfig;
  readonly seed: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Share of held-out images whose class it found. */
  readonly heldOutAccuracy: number;
  readonly params: ClassifierParameters;
}

export interface ClassifierOptions {
  /** Images in a run; 256 by default. Changes speed and memory, not the result. */
  readonly batchSize?: number;
}

type Inputs = { readonly images: TensorSpec; readonly params: ClassifierParameters };

export class Classifier implements FeatureExtractor {
  readonly name = 'classifier';
  readonly hasLogits = true;

  private constructor(
    readonly model: ClassifierModel,
    private readonly compiled: CompiledFunction<Inputs, ClassifierOutputs>,
    private readonly batchSize: number,
    private readonly imageShape: readonly number[],
  ) {}

  /**
   * Compiles a classifier.
   *
   * @throws {ArgumentError} when the batch size is not a positive whole number
   * @throws {BackendError} when the network cannot run on the backend
   */
  static async create(
    model: ClassifierModel,
    backend: Backend,
    { batchSize = 256 }: ClassifierOptions = {},
  ): Promise<Classifier> {
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(
        `A classifier judges a positive whole number of images at a time, got ${batchSize}.`,
      );
    }
    const network = classifierNetwork(model.config);
    const inputs: Inputs = { images: spec([batchSize, ...network.featureShape]), params: model.params };
    const traced = trace(({ images, params }): ClassifierOutputs => network.apply(params, images), inputs, {
      name: 'classify',
    });
    return new Classifier(model, await compile(backend, traced), batchSize, network.featureShape);
  }

  async extract(images: HostArray): Promise<Required<ExtractedFeatures>> {
    const count = images.shape[0]!;
    const { classCount, layout } = this.model.config;
    const given = formatShape(images.shape.slice(1));
    const isFlat = layout === 'nhwc' && given === formatShape([sizeOf(this.imageShape)]);
    if ((given !== formatShape(this.imageShape) && !isFlat) || count < 1) {
      throw new ShapeError(
        `The classifier takes images [count, ${this.imageShape.join(', ')}], got ${formatShape(images.shape)}.`,
      );
    }
    // As they are at the call: the runs come one after the other.
    const pixels = images
      .clone()
      .to('float32')
      .reshape([count, ...this.imageShape]);
    const featureCount = this.model.params.logits.kernel.shape[0]!;
    const features = new Float32Array(count * featureCount);
    const logits = new Float32Array(count * classCount);
    for (let start = 0; start < count; start += this.batchSize) {
      const rows = Math.min(this.batchSize, count - start);
      const outputs = await this.compiled.run(
        {
          images: this.batchOf(pixels.rows(start, start + rows)),
          params: this.model.params,
        },
        { borrow: true },
      );
      features.set((await read(outputs.features, rows)).data, start * featureCount);
      logits.set((await read(outputs.logits, rows)).data, start * classCount);
    }
    return {
      features: new HostArray('float32', [count, featureCount], features),
      logits: new HostArray('float32', [count, classCount], logits),
    };
  }

  dispose(): Promise<void> {
    return this.compiled.dispose();
  }

  /** A whole batch; what is missing at its end is black, and its outputs are not looked at. */
  private batchOf(rows: HostArray<'float32'>): HostArray<'float32'> {
    if (rows.shape[0] === this.batchSize) return rows;
    const padded = new Float32Array(this.batchSize * sizeOf(this.imageShape));
    padded.set(rows.data);
    return new HostArray('float32', [this.batchSize, ...this.imageShape], padded);
  }
}

/** The first rows of a result, which is freed. */
async function read(array: DeviceArray, rows: number): Promise<HostArray<'float32'>> {
  try {
    return (await array.read()).rows(0, rows).to('float32');
  } finally {
    array.dispose();
  }
}
