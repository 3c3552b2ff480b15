/**
 * ModelBuilder: collects nodes, initializers, inputs and outputs, and encodes them as one ONNX `ModelProto` with the
 * official schema. It knows ONNX and nothing of our graphs; lowerings write through it.
 */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  BackendError,
  bytesPerElement,
  sizeOf,
  type DType,
  type Shape,
  type TensorType,
} from '@meanflow/core';
import {
  ModelProtoSchema,
  TensorProto_DataType,
  Version,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';
import { encodeAttribute, type AttributeValue } from './attributes.js';

/** The newest operator set that ONNX Runtime 1.30 declares stable, and the file format that goes with it. */
export const OPSET = 26;
export const IR_VERSION = Version.IR_VERSION;

/** ONNX Runtime's own operators, such as `FusedMatMul`. */
export const MICROSOFT_DOMAIN = 'com.microsoft';

/** A protobuf message ends at 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** The name of a value in the model. */
export type ValueName = string;

/** Element types of initializers: a graph's dtypes, and the int64 of shapes and axes. */
export type ElementType = DType | 'int64';

export const elementTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  int32: TensorProto_DataType.INT32,
  bool: TensorProto_DataType.BOOL,
  int64: TensorProto_DataType.INT64,
};

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
  /** The result's type, where ONNX Runtime cannot infer it. */
  readonly type?: TensorType;
}

type InitializerData = Float32Array | Int32Array | Uint8Array | BigInt64Array;

export class ModelBuilder {
  private readonly nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  private readonly initializers: MessageInitShape<typeof TensorProtoSchema>[] = [];
  private readonly inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  private readonly outputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  private readonly valueInfo: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  private readonly known = new Map<string, ValueName>();
  /** Results of nodes. */
  private readonly made = new Set<ValueName>();
  /** Results of nodes that the model returns, and the names that it returns them under. */
  private readonly renamed = new Map<ValueName, ValueName>();
  private bytes = 0;
  private count = 0;
  private label = '';

  constructor(private readonly name: string) {}

  /** What the following nodes belong to; begins their names, so that errors and profiles say where they came from. */
  enter(label: string): void {
    this.label = label;
  }

  /** Adds a node with one result. */
  node(op: string, inputs: readonly ValueName[], options: NodeOptions = {}): ValueName {
    const result = `${this.label}/${op}.${this.count++}`;
    this.nodes.push({
      opType: op,
      name: result,
      input: [...inputs],
      output: [result],
      domain: options.domain ?? '',
      attribute: Object.entries(options.attributes ?? {}).map(([name, value]) =>
        encodeAttribute(name, value),
      ),
    });
    this.made.add(result);
    if (options.type) this.valueInfo.push(valueInfo(result, options.type));
    return result;
  }

  /** A value that the model takes. */
  input(name: ValueName, type: TensorType): ValueName {
    this.inputs.push(valueInfo(name, type));
    return name;
  }

  /**
   * Names a value as one that the model returns. The node that makes the value then makes it under that name; only
   * an input, a constant or a value that is returned already takes an Identity, which copies.
   */
  output(name: ValueName, type: TensorType, value: ValueName): void {
    if (this.made.has(value) && !this.renamed.has(value)) this.renamed.set(value, name);
    else this.nodes.push({ opType: 'Identity', name, input: [value], output: [name] });
    this.outputs.push(valueInfo(name, type));
  }

  /** A scalar initializer. */
  scalar(dtype: DType, value: number): ValueName {
    return this.constant(dtype, [], [value]);
  }

  /** A list of int64: shapes, axes, paddings. */
  ints(values: readonly number[]): ValueName {
    return this.constant('int64', [values.length], values);
  }

  /** A small initializer; equal ones are stored once. */
  constant(dtype: ElementType, shape: Shape, values: readonly number[]): ValueName {
    const elements = values.map((value) => (Object.is(value, -0) ? '-0' : String(value)));
    const key = `${dtype}[${shape.join(',')}]{${elements.join(',')}}`;
    let name = this.known.get(key);
    if (name === undefined) {
      name = this.initializer(dtype, shape, toData(dtype, values));
      this.known.set(key, name);
    }
    return name;
  }

  /** An initializer of any size. */
  initializer(dtype: ElementType, shape: Shape, data: InitializerData): ValueName {
    const name = `constant.${this.initializers.length}`;
    this.bytes += data.byteLength;
    if (this.bytes > MAX_MODEL_BYTES) {
      throw new BackendError(
        `The constants of graph "${this.name}" exceed the 2 GiB that an ONNX model can hold. ` +
          'Pass large arrays as inputs of the traced function.',
      );
    }
    this.initializers.push({
      name,
      dataType: elementTypes[dtype],
      dims: shape.map(BigInt),
      rawData: new Uint8Array(data.slice().buffer),
    });
    return name;
  }

  /** Bytes of an array of a type. */
  static byteLength(type: TensorType): number {
    return sizeOf(type.shape) * bytesPerElement[type.dtype];
  }

  /** The `ModelProto`, without initializers that no node came to use. */
  encode(): Uint8Array {
    const used = new Set(this.nodes.flatMap(({ input }) => input ?? []));
    const rename = (names: readonly ValueName[] = []) => names.map((name) => this.renamed.get(name) ?? name);
    const nodes = this.nodes.map((node) => ({
      ...node,
      input: rename(node.input),
      output: rename(node.output),
    }));
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(IR_VERSION),
      opsetImport: [
        { domain: '', version: BigInt(OPSET) },
        { domain: MICROSOFT_DOMAIN, version: 1n },
      ],
      producerName: '@meanflow/backend-ort',
      graph: {
        name: this.name,
        input: this.inputs,
        output: this.outputs,
        node: nodes,
        initializer: this.initializers.filter(({ name }) => used.has(name!)),
        valueInfo: this.valueInfo.filter(({ name }) => !this.renamed.has(name!)),
      },
    });
    return toBinary(ModelProtoSchema, model);
  }
}

function toData(dtype: ElementType, values: readonly number[]): InitializerData {
  if (dtype === 'float32') return Float32Array.from(values);
  if (dtype === 'int32') return Int32Array.from(values);
  if (dtype === 'bool') return Uint8Array.from(values);
  return BigInt64Array.from(values, BigInt);
}

function valueInfo(
  name: string,
  { dtype, shape }: TensorType,
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } }));
  return {
    name,
    type: { value: { case: 'tensorType', value: { elemType: elementTypes[dtype], shape: { dim } } } },
  };
}
