/** Nodes that one kernel would do badly, or could not do, in several steps. */
import type { NodeOf, Program, ProgramNode, StoredValue } from '../program/program.js';
import { rowsOf } from './reductions.js';

/** Elements per result from which a reduction is long, and results below which they are few. */
const LONG = 16384;
const FEW = 64;
const MAX_PARTS = 256;

/**
 * A sum or maximum of many elements into few results, such as a loss, in two steps: first into some hundred parts,
 * which many workgroups share, then into the result. One step would leave all the work to as many workgroups as there
 * are results.
 */
export function splitLongReductions(program: Program): Program {
  let { storages } = program;
  const nodes = program.nodes.flatMap((node): ProgramNode[] => {
    if (node.op !== 'reduceSum' && node.op !== 'reduceMax') return [node];
    const { outer, inner } = rowsOf(node);
    const [x] = node.inputs;
    const { axes } = node.attributes;
    const areLast = axes.every((axis, i) => axis === x.shape.length - axes.length + i);
    const parts = areLast && inner >= LONG && outer < FEW ? largestDivisor(inner, MAX_PARTS) : 1;
    if (parts < 8) return [node];
    // A sum is rounded once.
    const dtype = x.dtype === 'float16' ? 'float32' : x.dtype;
    const partial = { dtype, shape: [outer, parts], storage: storages++ };
    const input = { ...x, shape: [outer, parts, inner / parts] };
    const { op } = node;
    const first = { op, inputs: [input], attributes: { axes: [2] }, output: partial } as ProgramNode;
    const second = { op, inputs: [partial], attributes: { axes: [1] }, output: node.output } as ProgramNode;
    return [first, second];
  });
  return { ...program, nodes, storages };
}

function largestDivisor(n: number, most: number): number {
  for (let divisor = most; divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}

/** A concatenation of more operands than a kernel can bind, in several: first of neighbours, then of the results. */
export function splitLongConcatenations(program: Program, maxBuffers: number): Program {
  let { storages } = program;
  const most = maxBuffers - 1;
  const split = (node: NodeOf<'concat'>): ProgramNode[] => {
    const { inputs, attributes, output } = node;
    if (inputs.length <= most) return [node as ProgramNode];
    const { axis } = attributes;
    const joined: ProgramNode[] = [];
    const parts: StoredValue[] = [];
    for (let start = 0; start < inputs.length; start += most) {
      const members = inputs.slice(start, start + most);
      const length = members.reduce((sum, { shape }) => sum + shape[axis]!, 0);
      const shape = output.shape.map((n, a) => (a === axis ? length : n));
      const part = { dtype: output.dtype, shape, storage: storages++ };
      joined.push({ op: 'concat', inputs: members, attributes, output: part });
      parts.push(part);
    }
    return [...joined, ...split({ ...node, inputs: parts })];
  };
  const nodes = program.nodes.flatMap((node) => (node.op === 'concat' ? split(node) : [node]));
  return { ...program, nodes, storages };
}
