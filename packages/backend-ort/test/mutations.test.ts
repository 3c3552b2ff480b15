/** A lowering broken on purpose, for the CPU: the kit names the op. docs/conformance/mutations.md shows these and others. */
import { prepare, type OpName } from '@meanflow/core/backend';
import { conformanceCases, runConformance, summarise } from '@meanflow/conformance';
import { hasKernelIn } from '../src/composites.js';
import { ortBackend } from '../src/index.js';
import type { Lowering, Lowerings } from '../src/lowerings/lowering.js';
import { reduce } from '../src/lowerings/reductions.js';
import { generalLowerings } from '../src/lowerings/table.js';
import { targets } from '../src/targets.js';
import { ort } from './support.js';

/** Ids of the cases that compare a graph, by the ops that are lowered for them: a lowering is no part of other models. */
const casesOf = new Map<OpName, Set<string>>();
beforeAll(() => {
  const options = { hasKernel: hasKernelIn(targets.cpu.kernels) };
  const cases = conformanceCases().flatMap((entry) =>
    entry.kind === 'graph' && !entry.features.includes('large') ? [entry] : [],
  );
  expect(cases.length).toBeGreaterThan(1_500);
  for (const { id, build } of cases) {
    for (const { op } of prepare(build().graph, options).instructions) {
      if (!casesOf.has(op)) casesOf.set(op, new Set());
      casesOf.get(op)!.add(id);
    }
  }
});

/** The ops of which cases fail, of all whose model holds the op, with its lowering replaced. */
async function failing<K extends keyof Lowerings>(
  op: K,
  replacement: Lowering<K>,
): Promise<readonly string[]> {
  const ids = casesOf.get(op)!;
  expect(ids.size).toBeGreaterThan(10);
  const original = generalLowerings[op];
  Object.assign(generalLowerings, { [op]: replacement });
  try {
    // The binding that has no kernels of its own, which would compute what the lowering is for.
    const backend = await ortBackend({ ort, threads: 1, binding: 'public' });
    const report = await runConformance(backend, { filter: ({ id }) => ids.has(id) });
    await backend.dispose();
    expect(report.results).toHaveLength(ids.size);
    return summarise(report)
      .filter(({ failed }) => failed > 0)
      .map(({ op: name }) => name);
  } finally {
    Object.assign(generalLowerings, { [op]: original });
  }
}

test('a maximum along axes that overlooks NaN', async () => {
  const replacement: Lowering<'reduceMax'> = ({ builder, inputs: [x], attributes: { axes } }) =>
    reduce(builder, 'ReduceMax', x.name, axes);
  expect(await failing('reduceMax', replacement)).toEqual(['reduceMax']);
});

test('tanh, wrong by one part in 100,000, the sigmoid, of whose second derivative it is a factor, and a fused call with one', async () => {
  const { tanh } = generalLowerings;
  const replacement: Lowering<'tanh'> = (context) =>
    context.builder.node('Mul', [tanh(context), context.builder.scalar('float32', 1 + 1e-5)]);
  expect(await failing('tanh', replacement)).toEqual(['tanh', 'sigmoid', 'fused']);
});

test('a transposition by the inverse permutation, where that has the same shape', async () => {
  const { transpose } = generalLowerings;
  const replacement: Lowering<'transpose'> = (context) => {
    const { permutation } = context.attributes;
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    const fits = inverse.every((axis, i) => context.inputs[0].shape[axis] === context.output.shape[i]);
    return transpose(fits ? { ...context, attributes: { permutation: inverse } } : context);
  };
  // Of contractions, the gradient in cubes is transposed in this way.
  expect(await failing('transpose', replacement)).toEqual(['transpose', 'dotGeneral']);
});
