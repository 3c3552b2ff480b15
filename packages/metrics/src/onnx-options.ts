/** What an extractor from an ONNX file is told, and the part of ONNX Runtime's API that it uses. */

/** `nhwc`: `[height, width, channels]`; `nchw`: `[channels, height, width]`. */
export type ImageLayout = 'nhwc' | 'nchw';

/** An input or output as a session describes it; sizes that are not fixed are names. */
export interface OrtValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** A result of a session. */
export interface OrtValue {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** The part of a session that is used. */
export interface OrtSession<T> {
  readonly inputMetadata: readonly OrtValueMetadata[];
  readonly outputMetadata: readonly OrtValueMetadata[];
  run(
    feeds: Readonly<Record<string, T>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, OrtValue>>>;
  release(): Promise<void>;
}

/** The part of `onnxruntime-node` or `onnxruntime-web` that is used. */
export interface OrtRuntime<T = unknown> {
  readonly InferenceSession: {
    create(model: string | Uint8Array, options?: object): Promise<OrtSession<T>>;
  };
  readonly Tensor: new (
    type: 'float32' | 'uint8',
    data: Float32Array | Uint8Array,
    dims: readonly number[],
  ) => T;
}

/**
 * What values a model takes for a pixel: `byte` 0 … 255, `unit` 0 … 1, `signed` −1 … 1, `imagenet` (unit − mean) /
 * deviation of ImageNet's channels as torchvision's models take it.
 */
export type PixelRange = 'byte' | 'unit' | 'signed' | 'imagenet';

export interface OnnxFeatureOptions<T = unknown> {
  /** The runtime: ONNX Runtime's module, for Node or for pages. */
  readonly ort: OrtRuntime<T>;
  /** The file's path (in Node) or its content. */
  readonly model: string | Uint8Array;
  /** What the images are that it will be given: `[height, width, channels]` with 1 or 3 channels, and their layout. */
  readonly imageShape: readonly [height: number, width: number, channels: number];
  readonly layout: ImageLayout;
  /** Default: what a model's input of bytes must be, `byte`; for a float input there is none. */
  readonly range?: PixelRange;
  /** Default: where the model's input has 1 or 3 channels. */
  readonly inputLayout?: ImageLayout;
  /** `[height, width]` that images are resized to, bilinearly; default: the model's own where fixed, else as they are. */
  readonly inputSize?: readonly [height: number, width: number];
  /** The output with the features; needed where there are several. */
  readonly output?: string;
  /** The output with a classifier's logits, where they are wanted. */
  readonly logitsOutput?: string;
  /** Images in a run; default: the model's own where fixed, else 32. */
  readonly batchSize?: number;
  /** What tables call it; `onnx` by default. */
  readonly name?: string;
  /** For the runtime's session, such as its execution providers. */
  readonly session?: object;
}
