/** A graph as text: SSA with types, as a reader of derivatives wants it. Names follow the order of definition. */
import type { Graph, Instruction, ValueId } from './graph.js';
import { HostArray } from './host-array.js';
import { formatType } from './types.js';

/** One line per input and instruction; composites show their name and parameters, not their body. */
export function graphText(graph: Graph): string {
  const names = new Map<ValueId, string>(graph.inputs.map(({ name, value }) => [value, `%${name}`]));
  let next = 0;
  const lines = graph.instructions.map((instruction) => {
    const operands = instruction.inputs.map((input) => names.get(input));
    const results = instruction.outputs.map((output) => {
      names.set(output, `%${next++}`);
      return `${names.get(output)}: ${formatType(graph.types[output])}`;
    });
    return `  ${results.join(', ')} = ${opText(instruction)}(${operands.join(', ')})`;
  });
  const inputs = graph.inputs.map(({ value }) => `${names.get(value)}: ${formatType(graph.types[value])}`);
  const outputs = graph.outputs.map(({ name, value }) => `${name} = ${names.get(value)}`);
  return [`${graph.name}(${inputs.join(', ')}) {`, ...lines, `  return ${outputs.join(', ')}`, '}'].join(
    '\n',
  );
}

function opText(instruction: Instruction): string {
  if (instruction.op === 'composite') {
    const { definition, parameters } = instruction.attributes;
    const shown = Object.entries(parameters).filter(([, value]) => typeof value !== 'object');
    return definition.name + attributeText(Object.fromEntries(shown));
  }
  return instruction.op + attributeText(instruction.attributes as Record<string, unknown>);
}

function attributeText(attributes: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return '';
  return `{${entries.map(([name, value]) => `${name}: ${valueText(value)}`).join(', ')}}`;
}

function valueText(value: unknown): string {
  if (value instanceof HostArray) {
    const shown = Array.from(value.data.subarray(0, 4), (x) => String(x)).join(', ');
    if (value.shape.length === 0) return shown;
    return `[${shown}${value.size > 4 ? ', …' : ''}]`;
  }
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  return String(value);
}
