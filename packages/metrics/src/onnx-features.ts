/**
 * A feature extractor from an ONNX file that the user gives, such as an Inception network for FID. What the file says of
 * its input decides layout, size and batch; what it does not say is asked for, not guessed. The ONNX Runtime is given
 * too, so that this serves Node and browsers alike.
 */
import { ArgumentError, DataError, HostArray, ShapeError, sizeOf } from '@meanflow/core';
import { formatShape, typedArrayName, leading } from '@meanflow/core/validation';
import { settleOrtTelemetry } from '@meanflow/core/backend';
import type { ExtractedFeatures, FeatureExtractor } from './feature-extractor.js';
import { gridSize, writeImages, type PixelScale } from './onnx-images.js';
import type {
  ImageLayout,
  OnnxFeatureOptions,
  OrtSession,
  OrtValue,
  OrtValueMetadata,
  PixelRange,
} from './onnx-options.js';

/** Each range as (value / 255 − mean) / deviation; `imagenet` with the constants of torchvision's models. */
const scales: Readonly<Record<PixelRange, PixelScale>> = {
  byte: { mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] },
  unit: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  signed: { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
};

const DEFAULT_BATCH = 32;

/** How the model takes images, every question settled. */
interface InputPlan {
  readonly name: string;
  readonly type: 'float32' | 'uint8';
  readonly scale: PixelScale | undefined;
  readonly layout: ImageLayout;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly batch: number;
}

/**
 * Opens an ONNX file as a feature extractor.
 *
 * @throws {DataError} when the file cannot be read as a model, or is none of images
 * @throws {ArgumentError} when an option is missing, or contradicts the model; the message says which
 */
export async function onnxFeatureExtractor<T>(options: OnnxFeatureOptions<T>): Promise<FeatureExtractor> {
  const { ort, model, imageShape, layout, name = 'onnx' } = options;
  const [height, width, channels] = imageShape;
  if (imageShape.length !== 3 || ![1, 3].includes(channels)) {
    throw new ArgumentError(`Images are [height, width, 1 or 3], got ${formatShape(imageShape)}.`);
  }
  let session: OrtSession<T>;
  settleOrtTelemetry();
  try {
    session = await ort.InferenceSession.create(model, options.session);
  } catch (error) {
    const file = typeof model === 'string' ? model : 'the model';
    throw new DataError(`${file} cannot be opened as an ONNX model: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  try {
    const plan = planInput(session.inputMetadata, options);
    const fetches = planOutputs(session.outputMetadata, options);
    const given = { height, width, channels, layout };
    const featureShape = layout === 'nhwc' ? [height, width, channels] : [channels, height, width];
    const run = async (images: HostArray): Promise<readonly HostArray<'float32'>[]> => {
      const rows = images.shape[0]!;
      const data = new { float32: Float32Array, uint8: Uint8Array }[plan.type](plan.batch * gridSize(plan));
      writeImages(images.data, given, plan, plan.scale, data);
      const dims =
        plan.layout === 'nhwc'
          ? [plan.batch, plan.height, plan.width, plan.channels]
          : [plan.batch, plan.channels, plan.height, plan.width];
      const results = await session
        .run({ [plan.name]: new ort.Tensor(plan.type, data, dims) }, fetches)
        .catch((error: unknown) => {
          throw new DataError(
            `${typeof model === 'string' ? model : 'The model'} cannot be run on images [${dims.join(', ')}]: ${(error as Error).message.trim()}`,
            { cause: error },
          );
        });
      return fetches.map((fetch) => rowsOf(fetch, results[fetch]!, plan.batch).rows(0, rows));
    };
    return {
      name,
      hasLogits: fetches.length > 1,
      extract: (images) => extract(images, featureShape, plan.batch, run),
      dispose: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function extract(
  images: HostArray,
  featureShape: readonly number[],
  batch: number,
  run: (images: HostArray) => Promise<readonly HostArray<'float32'>[]>,
): Promise<ExtractedFeatures> {
  const count = images.shape[0]!;
  if (count < 1 || formatShape(images.shape.slice(1)) !== formatShape(featureShape)) {
    throw new ShapeError(
      `The extractor takes images [count, ${featureShape.join(', ')}], got ${formatShape(images.shape)}.`,
    );
  }
  const parts: (readonly HostArray<'float32'>[])[] = [];
  for (let start = 0; start < count; start += batch) {
    parts.push(await run(images.rows(start, Math.min(count, start + batch))));
  }
  const outputs = parts[0]!.map((_, output) => HostArray.joinRows(parts.map((part) => part[output]!)));
  const [features] = leading(outputs, 1);
  const logits = outputs[1];
  return logits === undefined ? { features } : { features, logits };
}

function planInput<T>(inputs: readonly OrtValueMetadata[], options: OnnxFeatureOptions<T>): InputPlan {
  const described = inputs.map(({ name, shape }) => `"${name}" [${shape?.join(', ') ?? ''}]`).join(', ');
  const [input] = inputs;
  const { shape, type } = input ?? {};
  if (
    input === undefined ||
    inputs.length !== 1 ||
    shape?.length !== 4 ||
    (type !== 'float32' && type !== 'uint8')
  ) {
    throw new DataError(
      `A feature extractor takes one input of images with four axes, float32 or uint8; the model takes ${described || 'none'}` +
        `${inputs.length === 1 ? ` of ${type ?? 'no tensor'}` : ''}.`,
    );
  }
  const { range, imageShape } = options;
  if (type === 'uint8' && range !== undefined && range !== 'byte') {
    throw new ArgumentError(`The model takes bytes, so that the range is byte, got ${range}.`);
  }
  if (type === 'float32' && range === undefined) {
    throw new ArgumentError(
      `The model does not say what values it takes for a pixel: give range, one of ${Object.keys(scales).join(', ')}.`,
    );
  }
  const layout = options.inputLayout ?? layoutOf(shape, described);
  const [channelAxis, first] = layout === 'nhwc' ? [3, 1] : [1, 2];
  const settled = (what: string, axis: number, wanted: number | undefined, fallback: number): number => {
    const fixed = fixedSize(shape[axis]!);
    if (wanted !== undefined && (!Number.isSafeInteger(wanted) || wanted < 1)) {
      throw new ArgumentError(`The ${what} of the model's input is a positive whole number, got ${wanted}.`);
    }
    if (fixed !== undefined && wanted !== undefined && fixed !== wanted) {
      throw new ArgumentError(`The model takes a ${what} of ${fixed}, got ${wanted}.`);
    }
    return fixed ?? wanted ?? fallback;
  };
  const channels = settled('number of channels', channelAxis, undefined, imageShape[2]);
  if (channels !== imageShape[2] && !(channels === 3 && imageShape[2] === 1)) {
    throw new ArgumentError(`The model takes images of ${channels} channels, these have ${imageShape[2]}.`);
  }
  return {
    name: input.name,
    type,
    scale: type === 'uint8' || range === undefined ? undefined : scales[range],
    layout,
    height: settled('height', first, options.inputSize?.[0], imageShape[0]),
    width: settled('width', first + 1, options.inputSize?.[1], imageShape[1]),
    channels,
    batch: settled('batch size', 0, options.batchSize, DEFAULT_BATCH),
  };
}

/** Where the channels are, when the shape tells. */
function layoutOf(shape: readonly (number | string)[], described: string): ImageLayout {
  const isChannels = (axis: number): boolean => [1, 3].includes(fixedSize(shape[axis]!) ?? 0);
  if (isChannels(1) === isChannels(3)) {
    throw new ArgumentError(`The layout of the model's input ${described} cannot be told: give inputLayout.`);
  }
  return isChannels(1) ? 'nchw' : 'nhwc';
}

function fixedSize(length: number | string): number | undefined {
  return typeof length === 'number' && length > 0 ? length : undefined;
}

function planOutputs<T>(
  outputs: readonly OrtValueMetadata[],
  { output, logitsOutput }: OnnxFeatureOptions<T>,
): readonly string[] {
  const names = outputs.map(({ name }) => name);
  const listed = names.map((name) => `"${name}"`).join(', ');
  for (const name of [output, logitsOutput]) {
    if (name !== undefined && !names.includes(name)) {
      throw new ArgumentError(`The model has no output "${name}"; it has ${listed}.`);
    }
  }
  if (output === undefined && names.length !== 1) {
    throw new ArgumentError(`The model has the outputs ${listed}: give the one with the features as output.`);
  }
  return [output ?? names[0]!, ...(logitsOutput === undefined ? [] : [logitsOutput])];
}

/** A result as `[batch, values]`. */
function rowsOf(name: string, { dims, data }: OrtValue, batch: number): HostArray<'float32'> {
  const width = sizeOf(dims.slice(1));
  if (typedArrayName(data) !== 'Float32Array' || dims[0] !== batch || dims.length < 2) {
    throw new DataError(
      `The model's output "${name}" is [${dims.join(', ')}], expected float32 [${batch}, features].`,
    );
  }
  return new HostArray('float32', [batch, width], data as Float32Array);
}
