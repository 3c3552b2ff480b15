/** A feature extractor of the user's own, such as Inception's network as an ONNX file, for images of a known shape. */
import { ArgumentError, sameShape, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { onnxFeatureExtractor, type FeatureExtractor, type PixelRange } from '@meanflow/metrics';
import { loadOnnxRuntime } from '../onnx-runtime.js';

/** What an ONNX file is told that it does not say itself. */
export interface ExtractorSettings {
  readonly features: string;
  readonly featuresRange?: PixelRange;
  readonly featuresLayout?: 'nhwc' | 'nchw';
  readonly featuresSize?: { readonly rows: number; readonly columns: number };
  readonly featuresOutput?: string;
  readonly logitsOutput?: string;
}

/** Images by the shape of a sample and what it shows. */
export interface ImageFacts {
  readonly name: string;
  readonly featureShape: Shape;
  readonly imageShape: Shape | undefined;
}

/**
 * Opens an ONNX file for images of this shape; flattened ones get their axes back.
 *
 * @throws {ArgumentError} when there are no images, or the file needs to be told more; the message says what
 * @throws {DataError} when the file cannot be read as a model of images
 */
export async function openExtractor(
  settings: ExtractorSettings,
  facts: ImageFacts,
): Promise<FeatureExtractor> {
  const { name, featureShape, imageShape } = facts;
  if (imageShape?.length !== 3) {
    throw new ArgumentError(
      `Features are those of images, and "${name}" has none; latents become images with --vae.`,
    );
  }
  const [height, width, channels] = leading(imageShape, 3);
  const isFlat = sameShape(featureShape, [sizeOf(imageShape)]);
  const { featuresRange, featuresLayout, featuresSize, featuresOutput, logitsOutput } = settings;
  const extractor = await onnxFeatureExtractor({
    ort: await loadOnnxRuntime(),
    model: settings.features,
    imageShape: [height, width, channels],
    layout: isFlat || sameShape(featureShape, imageShape) ? 'nhwc' : 'nchw',
    ...(featuresRange && { range: featuresRange }),
    ...(featuresLayout && { inputLayout: featuresLayout }),
    ...(featuresSize && { inputSize: [featuresSize.rows, featuresSize.columns] as const }),
    ...(featuresOutput && { output: featuresOutput }),
    ...(logitsOutput && { logitsOutput }),
  });
  if (!isFlat) return extractor;
  const shaped = (images: HostArray): HostArray => images.reshape([images.shape[0]!, ...imageShape]);
  return {
    name: extractor.name,
    hasLogits: extractor.hasLogits,
    extract: (images) => extractor.extract(images.shape.length === 2 ? shaped(images) : images),
    dispose: () => extractor.dispose(),
  };
}
