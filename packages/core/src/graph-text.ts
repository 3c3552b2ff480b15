/**
 * A graph as text: SSA with types, as a reader of derivatives wants it. Results are numbered in the order of
 * definition; inputs keep their names. Attributes that the result's type says already are left out.
 */
import type { Instruction, Program, ValueId } from './tensor.js';
import type { HostArray } from './host-array.js';
import type { ConvWindow, DotDimensions } from './ops/attributes.js';
import { formatType } from './types.js';

/** Elements of a constant that are shown. */
const SHOWN = 4;

/** One line per input and instruction; composites show their name and parameters, not their body. */
export function graphText(graph: Program): string {
  const names = new Map<ValueId, string>(graph.inputs.map(({ name, value }) => [value, inputName(name)]));
  let next = 0;
  const lines = graph.instructions.map((instruction) => {
    const operands = instruction.inputs.map((input) => names.get(input));
    const results = instruction.outputs.map((output) => {
      names.set(output, `%${next++}`);
      return `${names.get(output)}: ${formatType(graph.types[output]!)}`;
    });
    const attributes = attributesOf(instruction);
    const suffix = attributes === '' ? '' : `{${attributes}}`;
    return `  ${results.join(', ')} = ${opName(instruction)}${suffix}(${operands.join(', ')})`;
  });
  const inputs = graph.inputs.map(({ value }) => `${names.get(value)}: ${formatType(graph.types[value]!)}`);
  const outputs = graph.outputs.map(({ name, value }) => `${name} = ${names.get(value)}`);
  return [`${graph.name}(${inputs.join(', ')}) {`, ...lines, `  return ${outputs.join(', ')}`, '}'].join(
    '\n',
  );
}

/** Elements of an array are inputs named by number, which would read like results. */
const inputName = (name: string): string => (/^\d/.test(name) ? `%input/${name}` : `%${name}`);

const opName = (instruction: Instruction): string =>
  instruction.op === 'composite' ? instruction.attributes.definition.name : instruction.op;

function attributesOf(instruction: Instruction): string {
  switch (instruction.op) {
    case 'constant':
      return constantText(instruction.attributes.value);
    case 'dotGeneral':
      return dotText(instruction.attributes);
    case 'conv':
      return convText(instruction.attributes);
    case 'reshape':
    case 'broadcastTo':
    case 'cast':
      return '';
    case 'iota':
      return fields({ axis: instruction.attributes.axis });
    case 'composite':
      return fields(instruction.attributes.parameters);
    default:
      return fields(instruction.attributes as Readonly<Record<string, unknown>>);
  }
}

function constantText({ data, shape, size }: HostArray): string {
  const shown = Array.from(data.subarray(0, SHOWN), String).join(', ');
  if (shape.length === 0) return shown;
  return `[${shown}${size > SHOWN ? ', …' : ''}]`;
}

function dotText({ lhsBatch, rhsBatch, lhsContracting, rhsContracting }: DotDimensions): string {
  const batch = lhsBatch.length > 0 ? [`batch: ${list(lhsBatch)}×${list(rhsBatch)}`] : [];
  return [...batch, `contract: ${list(lhsContracting)}×${list(rhsContracting)}`].join(', ');
}

/** What differs from a plain convolution. */
function convText({ strides, padding, lhsDilation, rhsDilation, groups }: ConvWindow): string {
  const isOnes = (numbers: readonly number[]) => numbers.every((n) => n === 1);
  return fields({
    ...(isOnes(strides) ? {} : { strides }),
    ...(padding.flat().every((n) => n === 0) ? {} : { padding }),
    ...(isOnes(lhsDilation) ? {} : { lhsDilation }),
    ...(isOnes(rhsDilation) ? {} : { rhsDilation }),
    ...(groups === 1 ? {} : { groups }),
  });
}

/** `name: value` for values that have a short text; others (a composite's own graph) are left out. */
function fields(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .filter(([, value]) => Array.isArray(value) || typeof value !== 'object')
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? list(value) : String(value)}`)
    .join(', ');
}

function list(values: readonly unknown[]): string {
  return `[${values.map((value) => (Array.isArray(value) ? list(value) : String(value))).join(', ')}]`;
}
