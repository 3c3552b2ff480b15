/** What behaviour cases share: their makers, a train-like graph with state, and assertions that say what was expected. */
import {
  add,
  div,
  MeanflowError,
  mul,
  spec,
  sub,
  sum,
  trace,
  type Backend,
  type DeviceArray,
  type Executable,
  type Graph,
  type HostArray,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import type { Aspect, BehaviourCase, Feature, Finding } from './case.js';
import { f32 } from './inputs.js';

/** Thrown by a behaviour case: what was expected of the backend and what it did. */
export class Violation extends MeanflowError {
  override get name(): string {
    return 'Violation';
  }
}

/** A case that passes when `check` returns. */
export function behaviour(
  op: string,
  aspect: Aspect,
  variant: string,
  check: (backend: Backend) => Promise<Finding | void>,
  features: readonly Feature[] = [],
): BehaviourCase {
  return {
    kind: 'behaviour',
    id: `${op}: ${variant}`,
    op,
    aspect,
    features,
    check: async (backend) => (await check(backend)) ?? {},
  };
}

/** Makes a case of what one executable does. */
type ExecutableCase = (
  variant: string,
  check: (executable: Executable) => Promise<Finding | void>,
) => BehaviourCase;

/** Makers of cases about one thing. */
export function casesOf(op: string, aspect: Aspect) {
  const of = (variant: string, check: (backend: Backend) => Promise<Finding | void>): BehaviourCase =>
    behaviour(op, aspect, variant, check);
  const using =
    (graph: () => Graph, state: Readonly<Record<string, string>>): ExecutableCase =>
    (variant, check) =>
      of(variant, (backend) => withExecutable(backend, graph(), state, check));
  return {
    of,
    /** On {@link doubleGraph}. */
    doubling: using(doubleGraph, {}),
    /** On {@link counterGraph} of so many floats, whose counter is its state. */
    counting: (size: number): ExecutableCase => using(() => counterGraph(size), { counter: 'counter' }),
  };
}

/** @throws {Violation} unless `condition` holds */
export function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Violation(otherwise);
}

/** @throws {Violation} unless the array holds these numbers */
export function expectValues(what: string, array: HostArray, wanted: readonly number[]): void {
  const given = Array.from(array.data);
  const same = given.length === wanted.length && given.every((x, i) => Object.is(x + 0, wanted[i]! + 0));
  expect(same, `${what}: expected [${wanted.join(', ')}], got [${given.join(', ')}].`);
}

/**
 * The error that an operation is refused with.
 *
 * @throws {Violation} when it is not refused, or not with one of these classes
 */
export async function expectRejection(
  what: string,
  operation: () => Promise<unknown>,
  ...classes: readonly (new (message?: string) => MeanflowError)[]
): Promise<Error> {
  let error: unknown;
  try {
    await operation();
  } catch (caught) {
    error = caught;
  }
  const wanted = classes.map(({ name }) => name).join(' or ');
  expect(error !== undefined, `${what} must be refused with ${wanted}; it was accepted.`);
  const isWanted = classes.some((constructor) => error instanceof constructor);
  const shown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  expect(isWanted, `${what} must be refused with ${wanted}; got ${shown}`);
  return error as Error;
}

/** `counter + step`, `sum(counter)`: a state of `size` floats, replaced at every run, and a scalar beside it. */
export function counterGraph(size: number): Graph {
  return trace(
    ({ counter, step }: { counter: Tensor; step: Tensor }) => {
      const next = add(counter, step);
      return { counter: next, total: sum(next) };
    },
    { counter: spec([size]), step: spec([]) },
    { name: 'counter' },
  ).graph;
}

/** `y = 2 · x` for x of three floats. */
export const doubleGraph = (): Graph =>
  trace(({ x }: { x: Tensor }) => ({ y: mul(x, 2) }), { x: spec([3]) }, { name: 'double' }).graph;

export const scalar = (value: number): HostArray => f32([value], []);

/** Compiles, uses and disposes of an executable. */
export async function withExecutable<T>(
  backend: Backend,
  graph: Graph,
  state: Readonly<Record<string, string>>,
  use: (executable: Executable) => Promise<T>,
): Promise<T> {
  const executable = await backend.compile(graph, { state });
  try {
    return await use(executable);
  } finally {
    await executable.dispose();
  }
}

/** One run, all outputs read and disposed of. */
export async function runAndRead(
  executable: Executable,
  inputs: Readonly<Record<string, RunInput>>,
): Promise<Record<string, HostArray>> {
  const outputs = await executable.run(inputs);
  const read: [string, HostArray][] = [];
  for (const [name, array] of Object.entries(outputs)) read.push([name, await array.read()]);
  disposeAll(outputs);
  return Object.fromEntries(read);
}

export function disposeAll(outputs: Readonly<Record<string, DeviceArray>>): void {
  for (const array of Object.values(outputs)) array.dispose();
}

/** Whether arrays on the device tell more than reading them does: a third, there and back, is one then. */
export function holdsMoreThanFloat32(backend: Backend): Promise<boolean> {
  const { graph } = trace(({ x }: { x: Tensor }) => ({ third: div(x, 3), thrice: sub(mul(x, 3), 1) }), {
    x: spec([]),
  });
  return withExecutable(backend, graph, {}, async (executable) => {
    const { third, thrice } = pick(await executable.run({ x: scalar(1) }), 'third', 'thrice');
    const direct = await runAndRead(executable, { x: third });
    const throughHost = await runAndRead(executable, { x: await third.read() });
    disposeAll({ third, thrice });
    return direct.thrice!.item() !== throughHost.thrice!.item();
  });
}
