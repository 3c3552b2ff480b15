/** Random programs on a backend: several as one graph, since compiling is what costs, and each compared by itself. */
import {
  trace,
  type Backend,
  type DeviceArray,
  type Graph,
  type HostArray,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { specsOf } from '../cases/build.js';
import { compare } from '../numerics/compare.js';
import type { ExpectedProgram } from './expected.js';
import { emit, outputName, runsOf, type Program } from './program.js';

/** A program with what it must give. */
export interface Trial {
  readonly program: Program;
  readonly expected: ExpectedProgram;
}

/** How a program went: its worst error in units of the tolerance, and where that was. */
export interface Verdict {
  readonly worst: number;
  readonly detail: string | undefined;
}

const pathOf = (i: number, name: string): string => `p${i}/${name}`;

/** The programs as one graph; inputs and outputs are named `p0/x0`, `p0/y0`, `p1/x0`, … */
export function graphOf(trials: readonly Trial[]): Graph {
  const specs = Object.fromEntries(trials.map(({ expected }, i) => [`p${i}`, specsOf(expected.inputs)]));
  const { graph } = trace(
    (given: Readonly<Record<string, Readonly<Record<string, Tensor>>>>) =>
      Object.fromEntries(trials.map(({ program }, i) => [`p${i}`, emit(program, given[`p${i}`]!)])),
    specs,
    { name: 'programs' },
  );
  return graph;
}

/**
 * Compiles programs as one graph, runs it as often as their state wants, and compares every output of every run.
 *
 * @returns one verdict for each program
 * @throws what the backend throws
 */
export async function execute(backend: Backend, trials: readonly Trial[]): Promise<Verdict[]> {
  const state = stateOf(trials);
  const executable = await backend.compile(graphOf(trials), { state });
  const fixed: Record<string, RunInput> = Object.fromEntries(
    trials.flatMap(({ expected }, i) =>
      Object.entries(expected.inputs).map(([name, array]) => [pathOf(i, name), array]),
    ),
  );
  const verdicts = trials.map((): Verdict => ({ worst: 0, detail: undefined }));
  let held: Record<string, DeviceArray> = {};
  try {
    for (let run = 0; run < Math.max(1, ...trials.map(({ program }) => runsOf(program))); run++) {
      const carried = Object.entries(state).flatMap(([input, output]) =>
        run === 0 ? [] : [[input, held[output]!] as const],
      );
      const outputs = await executable.run({ ...fixed, ...Object.fromEntries(carried) });
      disposeAll(held);
      held = outputs;
      for (const [i, trial] of trials.entries()) {
        const found = await judge(trial, run, (name) => outputs[pathOf(i, name)]!.read());
        if (found.worst > verdicts[i]!.worst) verdicts[i] = found;
      }
    }
  } finally {
    disposeAll(held);
    await executable.dispose();
  }
  return verdicts;
}

function stateOf(trials: readonly Trial[]): Record<string, string> {
  return Object.fromEntries(
    trials.flatMap(({ program }, i) =>
      program.state.map(([input, output]) => [pathOf(i, `x${input}`), pathOf(i, `y${output}`)]),
    ),
  );
}

/** The outputs of one run of a program; one without state gives the same in every run. */
async function judge(
  { program, expected }: Trial,
  run: number,
  read: (name: string) => Promise<HostArray>,
): Promise<Verdict> {
  let verdict: Verdict = { worst: 0, detail: undefined };
  const asked = Math.min(run, runsOf(program) - 1);
  const names = Object.keys(expected.outputs).filter((name) => !name.includes('/'));
  for (const name of names) {
    const shown = run === 0 ? name : `${name} of run ${run}`;
    const found = compare(shown, await read(name), expected.outputs[outputName(name, asked)]!);
    if (found.worst > verdict.worst) verdict = found;
  }
  return verdict;
}

function disposeAll(arrays: Readonly<Record<string, DeviceArray>>): void {
  // Those that the last run consumed are disposed of already, which does no harm.
  for (const array of Object.values(arrays)) array.dispose();
}
