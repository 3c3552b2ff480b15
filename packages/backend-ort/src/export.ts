/**
 * exportOnnx: a graph with its parameters as a file for other programs: ONNX Runtime of any language and provider, or a
 * server on it. Parameters lie in the model, or in one data file beside it where they are large; what is left to the
 * caller has the names that the exporter gives it. (Inputs with defaults are left out of it: ONNX has
 * them, but ONNX Runtime's JavaScript API ignores what is passed for one.) Only operators of the ONNX standard are used, of an operator set
 * that ONNX Runtime has known since version 1.18.
 */
import { ArgumentError, sameShape, type Graph, type HostArray, type TensorType } from '@meanflow/core';
import { formatType, ownValue } from '@meanflow/core/validation';
import { LARGEST_HALF, numberToHalf } from '@meanflow/core/backend';
import type { ExternalData, InitializerData } from './onnx/model.js';
import type { ModelBuilder } from './onnx/model-builder.js';
import { lowerGraph } from './lower-graph.js';
import { castTo } from './lowerings/elementwise.js';
import { interchange } from './targets.js';

/** Parameters up to this many bytes lie in the model itself; a protobuf message ends at 2 GiB. */
const LARGEST_INLINE = 2 ** 30;

/** External arrays begin at multiples of this, so that a runtime can map them into memory (onnx, ExternalData.md). */
const ALIGNMENT = 4096;

export interface ExportOptions {
  /** Names of the inputs that the caller of the model passes, by their path in the graph. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of the outputs, by their path in the graph. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Values of the graph's other inputs, by path: what becomes part of the file. */
  readonly parameters: Readonly<Record<string, HostArray>>;
  /** Name of the data file that will lie beside the model. */
  readonly dataFile: string;
  /** Text by name that the model carries for whoever reads it. */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * What float32 parameters are kept as; float32 by default. From `float16`, half the size, the model widens them before it computes
   * with them.
   */
  readonly storage?: 'float32' | 'float16';
  /** Bytes of parameters, as they are kept, from which they go to the data file; 1 GiB by default. */
  readonly largestInline?: number;
}

/** An input or output of an exported model. */
export interface ExportedValue extends TensorType {
  readonly name: string;
}

/** What a file is to hold, piece by piece; parameters are not copied for it. */
export interface FileContent {
  readonly byteLength: number;
  chunks(): Iterable<Uint8Array>;
}

export interface ExportedModel {
  /** The encoded `ModelProto`. */
  readonly model: FileContent;
  /** The data file; undefined when everything is in the model. */
  readonly data: FileContent | undefined;
  readonly inputs: readonly ExportedValue[];
  readonly outputs: readonly ExportedValue[];
}

/**
 * A graph as a file for other programs.
 *
 * @throws {ArgumentError} when an input of the graph is neither named nor given, when a value does not fit it, when
 *   a name is given twice, or when
 *   a number is beyond float16 that is to be kept so
 * @throws {BackendError} when an op cannot be written as ONNX
 */
export function exportOnnx(graph: Graph, options: ExportOptions): ExportedModel {
  const {
    inputs,
    outputs,
    parameters,
    dataFile,
    largestInline = LARGEST_INLINE,
    storage = 'float32',
  } = options;
  checkValues(graph, options);
  const total = Object.values(parameters).reduce((bytes, { data }) => bytes + data.byteLength, 0);
  const kept = storage === 'float16' ? total / 2 : total;
  const file = kept > largestInline ? new DataFile(dataFile) : undefined;
  const store = (builder: ModelBuilder, path: string, { dtype, shape }: TensorType): string => {
    const isHalf = storage === 'float16' && dtype === 'float32';
    const data = isHalf ? halvesOf(parameters[path]!, path) : bytesOf(parameters[path]!);
    const isSmall = data.byteLength < ALIGNMENT;
    const place = file === undefined || isSmall ? data : file.add(data);
    const value = builder.initializer(isHalf ? 'float16' : dtype, shape, place, path);
    return isHalf ? castTo(builder, value, 'float32') : value;
  };
  const builder = lowerGraph(graph, interchange, {
    input: (into, path, type, isRead) => {
      if (!Object.hasOwn(inputs, path)) {
        // A sampler does not read the parameters that only training needs.
        return isRead ? store(into, path, type) : path;
      }
      return into.input(inputs[path]!, type);
    },
    outputName: (path) => outputs[path]!,
  });
  const named = (values: Graph['inputs'], names: Readonly<Record<string, string>>): ExportedValue[] =>
    values
      .filter(({ name }) => Object.hasOwn(names, name))
      .map(({ name, value }) => ({ ...graph.types[value]!, name: names[name]! }));
  const pieces = builder.encodeInPieces(options.metadata);
  return {
    model: {
      byteLength: pieces.reduce((bytes, { length }) => bytes + length, 0),
      chunks: () => pieces,
    },
    data: file,
    inputs: named(graph.inputs, inputs),
    outputs: named(graph.outputs, outputs),
  };
}

/** The data file, planned before it is written: arrays one after the other, each at a multiple of {@link ALIGNMENT}. */
class DataFile implements FileContent {
  private readonly arrays: InitializerData[] = [];
  byteLength = 0;

  constructor(private readonly location: string) {}

  add(data: InitializerData): ExternalData {
    const offset = aligned(this.byteLength);
    this.arrays.push(data);
    this.byteLength = offset + data.byteLength;
    return { location: this.location, offset, byteLength: data.byteLength };
  }

  *chunks(): Iterable<Uint8Array> {
    let at = 0;
    for (const data of this.arrays) {
      if (aligned(at) > at) yield new Uint8Array(aligned(at) - at);
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      at = aligned(at) + data.byteLength;
    }
  }
}

const aligned = (offset: number): number => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;

/** An array's elements as ONNX stores them: a float64 array as float32, which is what graphs compute in. */
function bytesOf({ data }: HostArray): InitializerData {
  return data instanceof Float64Array ? Float32Array.from(data) : data;
}

/** An array's elements as float16. @throws {ArgumentError} when one is not finite there */
function halvesOf({ data }: HostArray, path: string): InitializerData {
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    halves[i] = numberToHalf(Number(data[i]));
    if ((halves[i]! & INFINITE_HALF) === INFINITE_HALF) {
      throw new ArgumentError(
        `"${path}" holds ${data[i]} at element ${i}, beyond float16, whose largest is ${LARGEST_HALF}. Keep this model in float32.`,
      );
    }
  }
  return halves;
}

/** The exponent of float16's infinities and NaNs. */
const INFINITE_HALF = 0x7c00;

function checkValues(graph: Graph, { inputs, outputs, parameters }: ExportOptions): void {
  for (const { name, value } of graph.inputs) {
    const type = graph.types[value]!;
    const given = ownValue(parameters, name);
    if (Object.hasOwn(inputs, name) === (given !== undefined)) {
      throw new ArgumentError(
        `Input "${name}" of graph "${graph.name}" needs either a name in \`inputs\` or a value in \`parameters\`.`,
      );
    }
    if (given !== undefined && !fits(given, type)) {
      throw new ArgumentError(
        `The value of input "${name}" must be ${formatType(type)}, got ${given.dtype}[${given.shape.join(', ')}].`,
      );
    }
  }
  for (const { name } of graph.outputs) {
    if (!Object.hasOwn(outputs, name)) {
      throw new ArgumentError(`Output "${name}" of graph "${graph.name}" needs a name in \`outputs\`.`);
    }
  }
  const names = [...Object.values(inputs), ...Object.values(outputs), ...Object.keys(parameters)];
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new ArgumentError(
      `The name "${repeated}" is given twice; inputs, outputs and parameters share one space.`,
    );
  }
}

function fits({ dtype, shape }: HostArray, type: TensorType): boolean {
  return (dtype === 'float64' ? 'float32' : dtype) === type.dtype && sameShape(shape, type.shape);
}
