/**
 * ModelBuilder: what lowerings write through. It names values, shares equal constants, and lets the node that makes
 * a returned value make it under the name that it is returned by.
 */
import { BackendError, drain, type DType, type Shape, type Steps, type TensorType } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { toHalves } from '@meanflow/core/backend';
import { orderForExecution } from './execution-order.js';
import {
  encodeModelInPieces,
  encodingModel,
  isBlock,
  readBy,
  type AttributeValue,
  type Block,
  type ElementType,
  type Initializer,
  type InitializerData,
  type Model,
  type NamedType,
  type Node,
  type ValueName,
  type ValueType,
} from './model.js';

/** A protobuf message ends at 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
  /** The result's type, where ONNX Runtime cannot infer it. */
  readonly type?: TensorType;
}

/** Integers as an attribute. */
export const ints = (values: readonly number[]): bigint[] => values.map(BigInt);

/** What a model is written for. */
export interface ModelFormat {
  readonly opset: number;
  /** Operators, one after the other, that pass on values of a type for which Identity has no kernel. */
  readonly copies?: Partial<Readonly<Record<DType, readonly string[]>>>;
}

export class ModelBuilder {
  /** Nodes of the model, or of the block being written. */
  private nodes: Node[] = [];
  private readonly initializers: Initializer[] = [];
  private readonly inputs: NamedType[] = [];
  private readonly outputs: NamedType[] = [];
  private readonly valueInfo: NamedType[] = [];
  private readonly known = new Map<string, ValueName>();
  /** Results of the model's nodes. */
  private readonly made = new Set<ValueName>();
  /** Those of them that the model returns, and the names that it returns them under. */
  private readonly renamed = new Map<ValueName, ValueName>();
  private bytes = 0;
  private count = 0;
  private label = '';

  constructor(
    private readonly name: string,
    private readonly format: ModelFormat,
  ) {}

  /** What the following nodes belong to; begins their names, so that errors and profiles say where they came from. */
  enter(label: string): void {
    this.label = label;
  }

  /** Adds a node with one result. */
  node(op: string, inputs: readonly ValueName[], options: NodeOptions = {}): ValueName {
    const { attributes = {}, domain = '', type } = options;
    const result = this.newName(op);
    this.nodes.push({ op, domain, inputs, results: [result], attributes });
    this.made.add(result);
    if (type !== undefined) this.valueInfo.push({ ...type, name: result });
    return result;
  }

  /** Adds a node with several results, whose types ONNX Runtime is told. */
  nodeOfMany(
    op: string,
    inputs: readonly ValueName[],
    types: readonly TensorType[],
    { attributes = {}, domain = '' }: Omit<NodeOptions, 'type'> = {},
  ): readonly ValueName[] {
    const results = types.map(() => this.newName(op));
    const [first] = leading(results, 1);
    this.nodes.push({ op, domain, inputs, results: [first, ...results.slice(1)], attributes });
    results.forEach((name, i) => {
      this.made.add(name);
      this.valueInfo.push({ ...types[i]!, name });
    });
    return results;
  }

  private newName(op: string): ValueName {
    return `${this.label}/${op}.${this.count++}`;
  }

  /** One of two computations, chosen when the model runs; only the chosen one is done. */
  branch(condition: ValueName, type: TensorType, yes: () => ValueName, no: () => ValueName): ValueName {
    const attributes = { then_branch: this.block(type, yes), else_branch: this.block(type, no) };
    return this.node('If', [condition], { attributes });
  }

  private block(type: TensorType, write: () => ValueName): Block {
    const outside = this.nodes;
    const nodes: Node[] = (this.nodes = []);
    try {
      return { result: write(), nodes, type };
    } finally {
      this.nodes = outside;
    }
  }

  /** A value that the model takes. */
  input(name: ValueName, type: ValueType): ValueName {
    this.inputs.push({ ...type, name });
    return name;
  }

  /**
   * Names a value as one that the model returns. Only an input, a constant or a value that is returned already takes
   * an Identity, which copies.
   */
  output(name: ValueName, type: ValueType, value: ValueName): void {
    if (this.made.has(value) && !this.renamed.has(value)) this.renamed.set(value, name);
    else {
      const copies = this.format.copies?.[type.dtype] ?? [];
      const before = copies.slice(0, -1).reduce((x, op) => this.node(op, [x]), value);
      const op = copies.at(-1) ?? 'Identity';
      this.nodes.push({ op, domain: '', inputs: [before], results: [name], attributes: {} });
    }
    this.outputs.push({ ...type, name });
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

  /**
   * An initializer of any size.
   *
   * @param name by default a new one
   * @throws {BackendError} when the model becomes too large to encode
   */
  initializer(
    dtype: ElementType,
    shape: Shape,
    data: Initializer['data'],
    name: ValueName = `constant.${this.initializers.length}`,
  ): ValueName {
    this.bytes += ArrayBuffer.isView(data) ? data.byteLength : 0;
    if (this.bytes > MAX_MODEL_BYTES) {
      throw new BackendError(
        `The constants of graph "${this.name}" exceed the 2 GiB that an ONNX model can hold. ` +
          'Pass large arrays as inputs of the traced function; an export can keep them in a file of their own.',
      );
    }
    this.initializers.push({ name, dtype, shape, data });
    return name;
  }

  /** The values that nodes read. An initializer that is not among them is left out of the model. */
  read(): ReadonlySet<ValueName> {
    return new Set(this.nodes.flatMap(readBy));
  }

  /** The model, as an encoded `ModelProto`. */
  encode(): Uint8Array {
    return drain(this.encoding());
  }

  /** {@link encode} in steps. */
  *encoding(): Steps<Uint8Array> {
    return yield* encodingModel(yield* this.model({}));
  }

  /** The same in pieces, one after the other, with the parameters where they lie. */
  encodeInPieces(metadata: Readonly<Record<string, string>> = {}): readonly Uint8Array[] {
    return encodeModelInPieces(drain(this.model(metadata)));
  }

  private *model(metadata: Readonly<Record<string, string>>): Steps<Model> {
    const { name, inputs, outputs, initializers } = this;
    const valueInfo = this.valueInfo.filter((value) => !this.renamed.has(value.name));
    const named = this.nodes.map((node) => this.withReturnedNames(node));
    yield;
    const nodes = orderForExecution(named);
    yield;
    const { opset } = this.format;
    return { name, opset, inputs, outputs, nodes, initializers, valueInfo, metadata };
  }

  private withReturnedNames(node: Node): Node {
    const rename = (value: ValueName) => this.renamed.get(value) ?? value;
    const attributes = Object.entries(node.attributes).map(([key, value]): [string, AttributeValue] => {
      if (!isBlock(value)) return [key, value];
      const nodes = value.nodes.map((inner) => this.withReturnedNames(inner));
      return [key, { ...value, nodes, result: rename(value.result) }];
    });
    const [first, ...others] = node.results;
    return {
      ...node,
      inputs: node.inputs.map(rename),
      results: [rename(first), ...others.map(rename)],
      attributes: Object.fromEntries(attributes),
    };
  }
}

function toData(dtype: ElementType, values: readonly number[]): InitializerData {
  if (dtype === 'float32') return Float32Array.from(values);
  if (dtype === 'float16') return toHalves(values);
  if (dtype === 'int32') return Int32Array.from(values);
  if (dtype === 'bool') return Uint8Array.from(values);
  return BigInt64Array.from(values, BigInt);
}
