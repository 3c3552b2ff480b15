/** What 200 steps and the stated drift notice that a backend may get wrong. */
import { referenceBackend, type Backend, type RunInput } from '@meanflow/core';
import type { Instruction } from '@meanflow/core/backend';
import { runConformance, type Case, type CaseResult } from '@meanflow/conformance';
import { scaleOperand, withAlteredGraphs, withAlteredInputs } from '@meanflow/conformance/testing';
import { modelCases } from '../src/index.js';

const KINDS = ['flow-matching', 'meanflow', 'improved-meanflow'] as const;

type Inputs = Readonly<Record<string, RunInput>>;

const pick = (inputs: Inputs, names: RegExp): Inputs =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => names.test(name)));

async function run(backend: Backend, ...kinds: readonly string[]): Promise<readonly CaseResult[]> {
  const wanted = kinds.map((kind) => `200 train steps: ${kind}, and samples`);
  const { results } = await runConformance(backend, {
    cases: modelCases(),
    filter: ({ id }: Case) => wanted.includes(id),
  });
  expect(results.map(({ id }) => id)).toEqual(wanted);
  return results;
}

const isUpdate = (instruction: Instruction) =>
  instruction.op === 'composite' && instruction.attributes.definition.name === 'adamUpdate';

test('the reference agrees with itself', async () => {
  for (const { outcome, worst } of await run(referenceBackend(), ...KINDS))
    expect({ outcome, worst }).toEqual({ outcome: 'passed', worst: 0 });
});

test('a learning rate that lags one step behind is noticed', async () => {
  const lagging = () => {
    let last: Inputs = {};
    return (inputs: Inputs) => {
      const altered = { ...inputs, ...last };
      last = pick(inputs, /^scalars\/.*stepSize$/);
      return altered;
    };
  };
  for (const { outcome, worst } of await run(withAlteredInputs(lagging), ...KINDS)) {
    expect(outcome).toBe('failed');
    expect(worst).toBeGreaterThan(100);
  }
});

test('one batch that is trained on twice is noticed', async () => {
  const repeating = () => {
    let before: Inputs = {};
    return (inputs: Inputs, at: number) => {
      const altered = at === 100 ? { ...inputs, ...before } : inputs;
      before = pick(inputs, /^batch\//);
      return altered;
    };
  };
  const [{ outcome, worst }] = await run(withAlteredInputs(repeating), 'meanflow');
  expect(outcome).toBe('failed');
  expect(worst).toBeGreaterThan(100);
});

// Adam hides it from the parameters, whose steps do not depend on the gradient's scale; its moments show it.
test('a gradient of one parameter that is wrong by one part in 1,000 is noticed, whichever it is', async () => {
  const parameters = 5;
  for (let k = 0; k < parameters; k++) {
    const broken = withAlteredGraphs((graph) => scaleOperand(graph, isUpdate, k, 1.001));
    const [{ outcome, detail }] = await run(broken, 'improved-meanflow');
    expect(outcome).toBe('failed');
    expect(detail).toMatch(/^output "optimizer\/(mean|variance)\//);
  }
  const none = withAlteredGraphs((graph) => scaleOperand(graph, isUpdate, parameters, 1.001));
  expect((await run(none, 'improved-meanflow'))[0].worst).toBe(0);
});
