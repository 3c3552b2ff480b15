/**
 * Node attributes as plain values: integers are `bigint` or `bigint[]`, floats are `number`, text (ASCII, as all of
 * ONNX's is) is `string`. What
 * goes out is what the ONNX schema wants.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, type AttributeProtoSchema } from 'onnx-buf';

export type AttributeValue = bigint | readonly bigint[] | number | string;

export function encodeAttribute(
  name: string,
  value: AttributeValue,
): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'bigint') return { name, type: AttributeProto_AttributeType.INT, i: value };
  if (typeof value === 'number') return { name, type: AttributeProto_AttributeType.FLOAT, f: value };
  if (typeof value === 'string') {
    const ascii = Uint8Array.from(value, (letter) => letter.charCodeAt(0));
    return { name, type: AttributeProto_AttributeType.STRING, s: ascii };
  }
  return { name, type: AttributeProto_AttributeType.INTS, ints: [...value] };
}

/** Integers as an attribute. */
export const ints = (values: readonly number[]): bigint[] => values.map(BigInt);
