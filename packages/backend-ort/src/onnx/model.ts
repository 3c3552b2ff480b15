/**
 * An ONNX model as plain data, and its encoding as a `ModelProto` by the official schema. Knows nothing of graphs of
 * ours; `ModelBuilder` fills it.
 */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { drain, type DType, type Shape, type Steps, type TensorType } from '@meanflow/core';
import {
  AttributeProto_AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  Version,
  type AttributeProtoSchema,
  type NodeProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';

/**
 * The file format that came with an operator set (onnx, docs/Versioning.md): runtimes refuse files of a newer one than
 * they know, so a model names the oldest that has all it uses.
 */
export const irVersion = (opset: number): bigint => (opset <= 21 ? 10n : BigInt(Version.IR_VERSION));

/** ONNX Runtime's own operators, such as `FusedMatMul`. */
export const MICROSOFT_DOMAIN = 'com.microsoft';

/** Operators of the library of fused kernels. Only models that have some name it: elsewhere it is unknown. */
export const MEANFLOW_DOMAIN = 'meanflow';

/** The name of a value in the model. */
export type ValueName = string;

/** Element types of initializers: a graph's dtypes, and the int64 of shapes and axes. */
export type ElementType = DType | 'int64';

export const elementTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  int32: TensorProto_DataType.INT32,
  bool: TensorProto_DataType.BOOL,
  int64: TensorProto_DataType.INT64,
  float16: TensorProto_DataType.FLOAT16,
};

/** Nodes that compute one value, from values inside and outside of the block. */
export interface Block {
  readonly nodes: readonly Node[];
  readonly result: ValueName;
  readonly type: TensorType;
}

/** An attribute: integers are `bigint` or `bigint[]`, floats `number`, text (ASCII, as all of ONNX's) `string`. */
export type AttributeValue = bigint | readonly bigint[] | number | string | Block;

/** A node, named after its first result. */
export interface Node {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly ValueName[];
  readonly results: readonly [ValueName, ...ValueName[]];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A type; without a shape, one of any shape. */
export interface ValueType extends Omit<TensorType, 'shape'> {
  readonly shape: Shape | undefined;
}

export interface NamedType extends ValueType {
  readonly name: ValueName;
}

/** Elements as they are stored; float16 as 16-bit words. */
export type InitializerData = Float32Array | Int32Array | Uint8Array | BigInt64Array | Uint16Array;

/** Where an initializer lies that is not in the model itself. */
export interface ExternalData {
  /** Name of a file beside the model's. */
  readonly location: string;
  /** Bytes from the start of that file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface Initializer {
  readonly name: ValueName;
  readonly dtype: ElementType;
  readonly shape: Shape;
  readonly data: InitializerData | ExternalData;
}

export interface Model {
  readonly name: string;
  /** The operator set of the nodes. */
  readonly opset: number;
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedType[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  /** Types that ONNX Runtime cannot infer. */
  readonly valueInfo: readonly NamedType[];
  /** Text by name, for whoever reads the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The `ModelProto`, in steps. Initializers that no node came to use are left out. */
export function* encodingModel(model: Model): Steps<Uint8Array> {
  const pieces = yield* encodingInPieces(model);
  const bytes = new Uint8Array(lengthOf(pieces));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** Initializers of fewer bytes are copied into the model. */
const SMALL = 4096;

/** Nodes, and small initializers, that are encoded in one step: some milliseconds' work, before it is compiled. */
const ENCODED_PER_STEP = 64;

/**
 * The `ModelProto` in pieces, one after the other. Large initializers lie in them where they are, so that no copy of the
 * parameters is made: every message that holds one is written here as the tag and the length of what follows.
 */
export function encodeModelInPieces(model: Model): readonly Uint8Array[] {
  return drain(encodingInPieces(model));
}

function* encodingInPieces(model: Model): Steps<readonly Uint8Array[]> {
  const initializers = usedInitializers(model);
  const isLarge = ({ data }: Initializer): boolean => ArrayBuffer.isView(data) && data.byteLength >= SMALL;
  const large = initializers.filter(isLarge).flatMap(({ data, ...type }) => {
    const raw = data as InitializerData;
    const start = toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorType(type)));
    const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
    return inField(fields.initializer, [start, ...inField(fields.rawData, [bytes])]);
  });
  // Messages one after the other are one message, whose lists are those of all.
  const graph = [partOfGraph(graphFields(model))];
  for (const nodes of portions(model.nodes)) {
    yield;
    graph.push(partOfGraph({ node: nodes.map(encodeNode) }));
  }
  for (const small of portions(initializers.filter((each) => !isLarge(each)))) {
    yield;
    graph.push(partOfGraph({ initializer: small.map(encodeInitializer) }));
  }
  yield;
  const outside = toBinary(ModelProtoSchema, create(ModelProtoSchema, modelFields(model)));
  return [outside, ...inField(fields.graph, [...graph, ...large])];
}

function partOfGraph(part: MessageInitShape<typeof GraphProtoSchema>): Uint8Array {
  return toBinary(GraphProtoSchema, create(GraphProtoSchema, part));
}

function portions<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / ENCODED_PER_STEP);
  return Array.from({ length: count }, (_, i) => all.slice(i * ENCODED_PER_STEP, (i + 1) * ENCODED_PER_STEP));
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, { length }) => total + length, 0);
}

/** Numbers of fields in ONNX's schema: `ModelProto.graph`, `GraphProto.initializer` and `TensorProto.raw_data`. */
const fields = { graph: 7, initializer: 5, rawData: 9 } as const;

/** What a field holds that has a length, after its tag and that length (protobuf's wire type 2). */
function inField(field: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  return [
    new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(lengthOf(pieces)).finish(),
    ...pieces,
  ];
}

function usedInitializers({ nodes, initializers }: Model): readonly Initializer[] {
  const used = new Set(nodes.flatMap(readBy));
  return initializers.filter(({ name }) => used.has(name));
}

function modelFields(model: Model) {
  const isFused = model.nodes.some(({ domain }) => domain === MEANFLOW_DOMAIN);
  return {
    irVersion: irVersion(model.opset),
    opsetImport: [
      { domain: '', version: BigInt(model.opset) },
      { domain: MICROSOFT_DOMAIN, version: 1n },
      ...(isFused ? [{ domain: MEANFLOW_DOMAIN, version: 1n }] : []),
    ],
    producerName: '@meanflow/backend-ort',
    metadataProps: Object.entries(model.metadata ?? {}).map(([key, value]) => ({ key, value })),
  };
}

function graphFields(model: Model) {
  return {
    name: model.name,
    input: model.inputs.map(valueInfo),
    output: model.outputs.map(valueInfo),
    valueInfo: model.valueInfo.map(valueInfo),
  };
}

/** The values that a node reads, those of its blocks included. */
export function readBy({ inputs, attributes }: Node): ValueName[] {
  const inner = Object.values(attributes)
    .filter(isBlock)
    .flatMap((block) => [block.result, ...block.nodes.flatMap(readBy)]);
  return [...inputs, ...inner];
}

function encodeNode(node: Node): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.op,
    domain: node.domain,
    name: node.results[0],
    input: [...node.inputs],
    output: [...node.results],
    attribute: Object.entries(node.attributes).map(([name, value]) => encodeAttribute(name, value)),
  };
}

export function isBlock(value: AttributeValue): value is Block {
  return typeof value === 'object' && 'nodes' in value;
}

function encodeAttribute(name: string, value: AttributeValue): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'bigint') return { name, type: AttributeProto_AttributeType.INT, i: value };
  if (typeof value === 'number') return { name, type: AttributeProto_AttributeType.FLOAT, f: value };
  if (typeof value === 'string') {
    const ascii = Uint8Array.from(value, (letter) => letter.charCodeAt(0));
    return { name, type: AttributeProto_AttributeType.STRING, s: ascii };
  }
  if (isBlock(value)) return { name, type: AttributeProto_AttributeType.GRAPH, g: encodeBlock(name, value) };
  return { name, type: AttributeProto_AttributeType.INTS, ints: [...value] };
}

function encodeBlock(
  name: string,
  { nodes, result, type }: Block,
): MessageInitShape<typeof GraphProtoSchema> {
  return { name, node: nodes.map(encodeNode), output: [valueInfo({ ...type, name: result })] };
}

function tensorType({ name, dtype, shape }: Omit<Initializer, 'data'>) {
  return { name, dataType: elementTypes[dtype], dims: shape.map(BigInt) };
}

function encodeInitializer({
  name,
  dtype,
  shape,
  data,
}: Initializer): MessageInitShape<typeof TensorProtoSchema> {
  const type = tensorType({ name, dtype, shape });
  if (ArrayBuffer.isView(data)) {
    return { ...type, rawData: new Uint8Array(data.slice().buffer) };
  }
  const place = { location: data.location, offset: data.offset, length: data.byteLength };
  return {
    ...type,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(place).map(([key, value]) => ({ key, value: String(value) })),
  };
}

function valueInfo({ name, dtype, shape }: NamedType): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape?.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } }));
  return {
    name,
    type: {
      value: { case: 'tensorType', value: { elemType: elementTypes[dtype], ...(dim && { shape: { dim } }) } },
    },
  };
}
