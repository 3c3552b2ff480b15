/**
 * The update of a train step as a program of its own, that can write the new state over the old one. What makes it up are the fused calls
 * that compute new state and that nothing reads, which are outputs of the graph; the rest, the step, runs before. So all that takes time or
 * may fail is done when the first element of the state changes: the update is kernels of ours alone, whose shapes were checked when it
 * was compiled and whose results lie where the caller says, so that it allocates nothing. In exchange all gradients are in memory at
 * once, and a second set of the state is not.
 */
import { sizeOf } from '@meanflow/core';
import { formatType } from '@meanflow/core/validation';
import type { Instruction, NamedValue, Program, ValueId } from '@meanflow/core/backend';
import { storedBytes } from '../elements.js';
import { isFused } from './lower-fused.js';

export interface SplitUpdate {
  /** Its outputs are those of the graph that the update does not make, and after them what the update reads of it. */
  readonly step: Program;
  readonly update: Program;
  /** The update's inputs that the step makes. All others are inputs of the graph, though an output may have the same name. */
  readonly passed: ReadonlySet<string>;
  /** Outputs of the update, and for each the input that it may be written over, once nobody else has that. */
  readonly inPlace: ReadonlyMap<string, string>;
}

type FusedCall = Extract<Instruction, { readonly op: 'composite' }>;

/**
 * @param graph prepared, with calls that the library computes
 * @param isState whether an input's array is donated to each run
 * @param least the fewest bytes that are worth being written over
 * @returns undefined where fewer would be
 */
export function splitUpdate(
  graph: Program,
  isState: (input: string) => boolean,
  least = 1,
): SplitUpdate | undefined {
  const producers = producersOf(graph);
  const calls = updatesOf(graph, producers, isState);
  if (calls.size === 0) return undefined;
  const { instructions, reads } = partOf(graph, (instruction) => calls.has(instruction), producers);
  const made = new Set([...calls].flatMap(({ outputs }) => outputs));
  const isMade = ({ value }: NamedValue): boolean => made.has(value);
  const given = new Set(graph.inputs.map(({ value }) => value));
  const passed = reads.filter((value) => !given.has(value)).map(named);
  const outputs = graph.outputs.filter((output) => !isMade(output));
  const step = stepOf(graph, [...outputs, ...passed], producers);
  const update: Program = {
    ...graph,
    inputs: [...graph.inputs.filter(({ value }) => reads.includes(value)), ...passed],
    instructions,
    outputs: graph.outputs.filter(isMade),
  };
  const inPlace = pairs(update, producers, isState);
  const overwritten = update.outputs.filter(({ name }) => inPlace.has(name));
  const bytes = overwritten.reduce((sum, { value }) => sum + storedBytes(graph.types[value]!), 0);
  if (bytes < least || step.instructions.length === 0) return undefined;
  return { step, update, passed: new Set(passed.map(({ name }) => name)), inPlace };
}

/** The name of what the step passes on to the update. No path of a pytree begins so. */
const named = (value: ValueId): NamedValue => ({ name: `//passed/${value}`, value });

type Producers = ReadonlyMap<ValueId, Instruction>;

const producersOf = ({ instructions }: Program): Producers =>
  new Map(instructions.flatMap((instruction) => instruction.outputs.map((value) => [value, instruction])));

/** The value that a value is a reshape of. */
function sourceOf(value: ValueId, producers: Producers): ValueId {
  const producer = producers.get(value);
  return producer?.op === 'reshape' ? sourceOf(producer.inputs[0], producers) : value;
}

/** The fused calls that read state and whose results are outputs of the graph as they are, and read by nothing. */
function updatesOf(
  graph: Program,
  producers: Producers,
  isState: (input: string) => boolean,
): ReadonlySet<Instruction> {
  const states = new Set(graph.inputs.filter(({ name }) => isState(name)).map(({ value }) => value));
  const isRead = new Set(graph.instructions.flatMap(({ inputs }) => inputs));
  const returned = new Set(graph.outputs.map(({ value }) => value));
  return new Set(
    graph.instructions.filter(
      (instruction) =>
        isFusedCall(instruction) &&
        instruction.inputs.some((value) => states.has(sourceOf(value, producers))) &&
        instruction.outputs.some((value) => returned.has(value)) &&
        !instruction.outputs.some((value) => isRead.has(value)),
    ),
  );
}

const isFusedCall = (instruction: Instruction): instruction is FusedCall =>
  instruction.op === 'composite' && isFused(instruction.attributes);

/** Some calls with the reshapes and the constants that they read, and the values that they take from outside. */
function partOf(graph: Program, isCall: (instruction: Instruction) => boolean, producers: Producers) {
  const needed = new Set<Instruction>();
  const reads = new Set<ValueId>();
  const need = (value: ValueId): void => {
    const producer = producers.get(value);
    const isInside =
      producer !== undefined && (isCall(producer) || producer.op === 'reshape' || producer.op === 'constant');
    if (!isInside) reads.add(value);
    else if (!needed.has(producer)) {
      needed.add(producer);
      producer.inputs.forEach(need);
    }
  };
  for (const { value } of graph.outputs) {
    const producer = producers.get(value);
    if (producer !== undefined && isCall(producer)) need(value);
  }
  return {
    instructions: graph.instructions.filter((instruction) => needed.has(instruction)),
    reads: [...reads],
  };
}

/** What certain outputs need, and nothing else. */
function stepOf(graph: Program, outputs: readonly NamedValue[], producers: Producers): Program {
  const values = new Set<ValueId>();
  const next = outputs.map(({ value }) => value);
  for (let value = next.pop(); value !== undefined; value = next.pop()) {
    if (values.has(value)) continue;
    values.add(value);
    next.push(...(producers.get(value)?.inputs ?? []));
  }
  return {
    ...graph,
    inputs: graph.inputs.filter(({ value }) => values.has(value)),
    instructions: graph.instructions.filter((instruction) =>
      instruction.outputs.some((value) => values.has(value)),
    ),
    outputs,
  };
}

/**
 * A call that reduces nothing reads an element of an operand of its whole space only for the same element of its results. So a result may
 * lie where such an operand does, if no other call reads that.
 */
function pairs(
  update: Program,
  producers: Producers,
  isState: (input: string) => boolean,
): ReadonlyMap<string, string> {
  const readers = new Map<ValueId, Set<Instruction>>();
  const read = (value: ValueId, by: Instruction): void => {
    const source = sourceOf(value, producers);
    readers.set(source, (readers.get(source) ?? new Set<Instruction>()).add(by));
  };
  for (const instruction of update.instructions)
    if (instruction.op !== 'reshape') for (const value of instruction.inputs) read(value, instruction);
  const typeOf = (value: ValueId): string => formatType(update.types[value]!);
  const free = new Set(update.inputs.filter(({ name }) => isState(name)));
  const found = new Map<string, string>();
  for (const { name, value } of update.outputs) {
    const call = producers.get(value);
    if (call === undefined || !isFusedCall(call) || reduces(call) || !walksWhole(update, call, value))
      continue;
    const input = [...free].find(
      (candidate) =>
        typeOf(candidate.value) === typeOf(value) &&
        readers.get(candidate.value)?.size === 1 &&
        readers.get(candidate.value)!.has(call),
    );
    if (input === undefined) continue;
    free.delete(input);
    found.set(name, input.name);
  }
  return found;
}

const reduces = ({ attributes: { body } }: FusedCall): boolean =>
  body.instructions.some(({ op }) => op === 'reduceSum' || op === 'reduceMax');

/** Whether a result has an element for each of the space that a call walks. */
function walksWhole({ types }: Program, { attributes: { body } }: FusedCall, result: ValueId): boolean {
  const space = Math.max(...body.types.map(({ shape }) => sizeOf(shape)));
  return sizeOf(types[result]!.shape) === space;
}
