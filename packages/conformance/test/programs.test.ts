/** Random programs: the same from the same seed, of every op, with outputs that share, and passed by the reference. */
import { ArgumentError, referenceBackend } from '@meanflow/core';
import { prepare, primitiveNames } from '@meanflow/core/backend';
import { conformanceCases, DEFAULT_SEED, runConformance, type Case, type Unsupported } from '../src/index.js';
import { casesOf } from '../src/cases/index.js';
import { graphOf, type Trial } from '../src/programs/execute.js';
import { expectedOf } from '../src/programs/expected.js';
import { programKinds, randomProgram, type ProgramKind } from '../src/programs/generate.js';
import { inputsOf, programText, type Program } from '../src/programs/program.js';
import { shrink } from '../src/programs/shrink.js';

const isProgram = ({ aspect }: Case) => aspect === 'programs';
const some = (kind: ProgramKind, count: number): Program[] =>
  Array.from({ length: count }, (_, i) => randomProgram(DEFAULT_SEED, kind, i));

test('a seed, a kind and a number are a program, and others are another', () => {
  for (const kind of programKinds) {
    const text = programText(randomProgram(3, kind, 5));
    expect(programText(randomProgram(3, kind, 5))).toBe(text);
    expect(programText(randomProgram(4, kind, 5))).not.toBe(text);
    expect(programText(randomProgram(3, kind, 6))).not.toBe(text);
  }
});

test('they hold every primitive', () => {
  const met = new Set<string>();
  for (const kind of programKinds)
    for (const program of some(kind, 100)) {
      const graph = graphOf([{ program, expected: { inputs: inputsOf(program), outputs: {} } }]);
      for (const { op } of [...graph.instructions, ...prepare(graph).instructions]) met.add(op);
    }
  expect(primitiveNames.filter((name) => !met.has(name))).toEqual([]);
});

test('outputs are shared in every way: an input, the same twice, a view, an input that is replaced by another', () => {
  const programs = programKinds.flatMap((kind) => some(kind, 40));
  const counts = {
    inputs: programs.filter(({ inputs, outputs }) => outputs.some((number) => number < inputs.length)).length,
    twice: programs.filter(({ outputs }) => new Set(outputs).size < outputs.length).length,
    exchanged: programs.filter(({ inputs, outputs, state }) =>
      state.some(([input, output]) => outputs[output] < inputs.length && outputs[output] !== input),
    ).length,
    kept: programs.filter(({ outputs, state }) => state.some(([input, output]) => outputs[output] === input))
      .length,
    empty: programs.filter(({ inputs }) => inputs.some(({ size }) => size === 0)).length,
  };
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
});

test('few of them are ill-conditioned', () => {
  const programs = programKinds.flatMap((kind) => some(kind, 40));
  expect(programs.filter((program) => expectedOf(program) === undefined).length).toBeLessThan(
    programs.length / 20,
  );
});

test('the reference passes those of another seed, which are found again by their ids', async () => {
  const cases = conformanceCases({ programs: { seed: 11, times: 0.1 } }).filter(isProgram);
  expect(cases.map(({ id }) => id)).toContain('programs/mixed: seed 11, 16 to 31');
  expect(casesOf(cases.map(({ id }) => id)).map(({ id }) => id)).toEqual(cases.map(({ id }) => id));
  const report = await runConformance(referenceBackend(), {
    filter: isProgram,
    programs: { seed: 11, times: 0.1 },
  });
  expect(report.results).toHaveLength(cases.length);
  expect(report.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
});

test('a seed or a count that cannot be is refused', () => {
  for (const seed of [-1, 0.5, NaN])
    expect(() => conformanceCases({ programs: { seed } })).toThrow(ArgumentError);
  for (const times of [0, -1, Infinity])
    expect(() => conformanceCases({ programs: { times } })).toThrow(ArgumentError);
});

test('programs with what is unsupported are left out, and the others run', async () => {
  const compiled: string[][] = [];
  const reference = referenceBackend();
  const backend = {
    ...reference,
    compile: (graph: Parameters<typeof reference.compile>[0]) => {
      compiled.push(prepare(graph).instructions.map(({ op }) => op));
      return reference.compile(graph);
    },
  };
  const unsupported: Unsupported[] = [
    { op: 'reverse', reason: 'of a mirror' },
    { feature: 'bool', reason: 'of doubt' },
  ];
  const filter = ({ id }: Case) => id.startsWith('programs/movements') && id.endsWith(' 0 to 15');
  const { results } = await runConformance(backend, { filter, unsupported });
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed']);
  expect(compiled).toHaveLength(1);
  expect(compiled[0].length).toBeGreaterThan(10);
  expect(compiled[0]).not.toContain('reverse');
});

test('what fails is cut down to the step that does, with the least around it', async () => {
  const program = some('mixed', 40).find(
    ({ steps }) => steps.length > 8 && steps.some(({ op }) => op === 'conv'),
  )!;
  const least = await shrink(
    program,
    async (candidate) => {
      try {
        const expected = expectedOf(candidate);
        if (expected === undefined) return false;
        return graphOf([{ program: candidate, expected } satisfies Trial]).stats().ops.conv > 0;
      } catch {
        return false;
      }
    },
    200,
  );
  expect(least.steps.map(({ op }) => op)).toEqual(['conv']);
  expect(least.outputs).toHaveLength(1);
  expect(least.inputs.length).toBeLessThanOrEqual(2);
});
