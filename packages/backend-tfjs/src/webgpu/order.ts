/**
 * inOrder: kernels in an order in which they can run, as close to the program's as dependencies let it. A kernel that writes
 * over an operand runs after all others that read it.
 */
import type { Program, StorageId } from '../program/program.js';
import { Building, type Consumer } from './building.js';
import type { Precedence } from './precedence.js';
import { isReduction } from './reductions.js';

export function inOrder(program: Program, all: readonly Consumer[], precedence: Precedence): Consumer[] {
  const position = new Map<StorageId, number>(program.nodes.map(({ output }, i) => [output.storage, i]));
  const results = (made: Consumer) => (made instanceof Building ? made.results : [made.node.output]);
  const reads = (made: Consumer) => (made instanceof Building ? made.kernel.reads : made.node.inputs);
  const overwritten = (made: Consumer) =>
    made instanceof Building
      ? made.kernel.inPlace.flatMap(({ value }) => [...precedence.readersOf(value.storage)])
      : [];
  const maker = new Map<StorageId, Consumer>();
  for (const made of all) for (const { storage } of results(made)) maker.set(storage, made);
  // A reduction or a product runs where it stands, so that its operands need not be kept, whatever is done to its result.
  const first = (made: Consumer) => {
    const walked = made instanceof Building ? [...made.nodes.values()].filter(isReduction) : [];
    const places = [...results(made), ...walked.map(({ output }) => output)];
    return Math.min(...places.map(({ storage }) => position.get(storage)!));
  };
  const places = new Map(all.map((made) => [made, first(made)]));
  const latestFirst = (a: Consumer, b: Consumer) => places.get(b)! - places.get(a)!;
  const order: Consumer[] = [];
  const done = new Set<Consumer>();
  const begun = new Set<Consumer>();
  const pending = [...all].sort(latestFirst);
  while (pending.length > 0) {
    const made = pending.at(-1)!;
    if (done.has(made)) {
      pending.pop();
      continue;
    }
    const needed = reads(made).flatMap(({ storage }) => maker.get(storage) ?? []);
    const missing = [...needed, ...overwritten(made)].filter((other) => other !== made && !done.has(other));
    if (missing.length > 0) {
      if (begun.has(made))
        throw new Error('Kernels wait for each other, which fusion should have prevented.');
      begun.add(made);
      pending.push(...missing.sort(latestFirst));
    } else {
      pending.pop();
      done.add(made);
      order.push(made);
    }
  }
  return order;
}
