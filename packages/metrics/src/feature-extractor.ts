/**
 * FeatureExtractor: what turns images into the features that FID and its relatives compare. Inception's network as an
 * ONNX file is one (`onnxFeatureExtractor`), the project's own classifier another.
 */
import type { HostArray } from '@meanflow/core';

/** What an extractor makes of images. */
export interface ExtractedFeatures {
  /** float32 `[images, features]` */
  readonly features: HostArray<'float32'>;
  /** float32 `[images, classes]`, before the softmax; where the extractor is a classifier. */
  readonly logits?: HostArray<'float32'>;
}

/** Images in, features out. */
export interface FeatureExtractor {
  /** What tables call it. */
  readonly name: string;
  /** Whether it is a classifier: whether logits come with the features. */
  readonly hasLogits: boolean;
  /**
   * Features of images; of each image by itself, so that it does not matter which others are in the call.
   *
   * @param images float32 `[images, ...image]`, from −1 to 1 as networks make them
   * @throws {ShapeError} when the images are not of the shape that it takes
   */
  extract(images: HostArray): Promise<ExtractedFeatures>;
  /** Frees what it holds. */
  dispose(): Promise<void>;
}
