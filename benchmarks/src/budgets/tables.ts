/**
 * What the graphs cost, counted: one table for core's passes, and one for each backend. Every number is exact and depends on no
 * machine, so that a change of any is seen, and is accepted by writing the tables anew.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { toOnnx } from '@meanflow/backend-ort';
import { webgpuCost } from '@meanflow/backend-tfjs';
import { builtInComposite, prepare } from '@meanflow/core/backend';
import { budgetedGraphs, type BudgetedGraph } from './graphs.js';
import { stepTraffic } from './traffic.js';

/** A file of `budgets/`. */
export interface BudgetTable {
  readonly file: string;
  readonly title: string;
  readonly text: string;
}

type Counts = Readonly<Record<string, number>>;

const tables: readonly {
  readonly file: string;
  readonly title: string;
  readonly about: string;
  readonly count: (graph: BudgetedGraph) => Counts;
}[] = [
  {
    file: 'core.md',
    title: 'Graphs as core prepares them',
    about: 'Once for a backend without kernels of its own, and once for one that takes fused calls whole. Bytes are those that instructions read and write, each operand and result once; the peak is of those alive at once.', // prettier-ignore
    count: ({ graph }) => {
      const [plain, fused] = [prepare(graph), prepare(graph, { hasKernel: (call) => builtInComposite(call) === 'fused' })]; // prettier-ignore
      const [without, stats] = [plain.stats(), fused.stats()];
      return {
        traced: graph.instructions.length,
        prepared: without.instructions,
        FLOPs: without.flops,
        'bytes moved': without.bytesMoved,
        'peak bytes': without.peakBytes,
        fused: stats.instructions,
        'fused calls': stats.ops.fused ?? 0,
        'fused, bytes moved': stats.bytesMoved,
        'fused, peak bytes': stats.peakBytes,
      };
    },
  },
  {
    file: 'ort-cpu.md',
    title: 'Models for ONNX Runtime on the processor',
    about:
      'Nodes and bytes of the model that the native binding runs with the library of our own kernels, and of the model without it.',
    count: ({ graph }) => {
      const [own, plain] = [toOnnx(graph, 'cpu', { ownKernels: { threads: 2 } }), toOnnx(graph, 'cpu')];
      return {
        'nodes, own kernels': nodesOf(own),
        'bytes, own kernels': own.byteLength,
        'nodes without': nodesOf(plain),
        'bytes without': plain.byteLength,
      };
    },
  },
  {
    file: 'tfjs-webgpu.md',
    title: 'Programs for WebGPU on TensorFlow.js',
    about: 'Dispatches of a run and the bytes that they read and write, as `webgpuCost` counts them for a GPU in Chromium.', // prettier-ignore
    count: ({ graph }) => {
      // A step's state is named alike on both sides.
      const isInput = (name: string) => graph.inputs.some((input) => input.name === name);
      const kept = graph.outputs.map(({ name }) => name).filter(isInput);
      const { kernels, bytes } = webgpuCost(graph, {
        state: Object.fromEntries(kept.map((name) => [name, name])),
      });
      return { dispatches: kernels.length, bytes };
    },
  },
];

/** All tables, counted now. */
export async function countBudgets(): Promise<readonly BudgetTable[]> {
  const graphs = await budgetedGraphs();
  const counted = tables.map(({ file, title, about, count }) => {
    const rows = graphs.map((graph) => [graph.name, count(graph)] as const);
    return { file, title, text: page(title, about, rows) };
  });
  const about =
    'What a step of w1 copies between JavaScript and ONNX Runtime and allocates for results, after the first steps, on the native binding: the batch and scalars go in, the loss comes out.';
  return [...counted, { file: 'ort-traffic.md', title: 'Copies of a train step', text: page('Copies of a train step', about, [['w1', await stepTraffic()]]) }]; // prettier-ignore
}

function page(
  title: string,
  about: string,
  rows: readonly (readonly [name: string, counts: Counts])[],
): string {
  const [first] = rows;
  const names = Object.keys(first?.[1] ?? {});
  const cells = [['', ...names], ...rows.map(([name, counts]) => [name, ...names.map((each) => grouped(counts[each]!))])]; // prettier-ignore
  const widths = cells[0]!.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return `# ${title}\n\n${about}\n\n${[line(cells[0]!), rule, ...cells.slice(1).map(line)].join('\n')}\n`;
}

const grouped = (value: number): string => value.toLocaleString('en-US');

/** Nodes of a model's graph: field 7 of ModelProto is the graph, field 1 of GraphProto a node. */
function nodesOf(model: Uint8Array): number {
  const graph = fieldsOf(model, 7)[0];
  return graph === undefined ? 0 : fieldsOf(graph, 1).length;
}

/** The contents of a message's fields of a number, which are messages. */
function fieldsOf(message: Uint8Array, wanted: number): readonly Uint8Array[] {
  const reader = new BinaryReader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === wanted && type === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(type, field);
  }
  return found;
}
