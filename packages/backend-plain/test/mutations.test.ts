/** A kernel broken on purpose: the kit names the op. docs/conformance/mutations.md shows these and others. */
import type { Arity } from '@meanflow/core/backend';
import { runConformance, summarise, type Case } from '@meanflow/conformance';
import { kernels, plainBackend, type Kernel, type KernelTable } from '../src/index.js';

/** The ops whose values are wrong with some kernels replaced. The cases of float16 are graphs of several ops, and are left out. */
async function wrongOps(replaced: Partial<KernelTable>): Promise<string[]> {
  const filter = ({ aspect, features }: Case) =>
    aspect === 'values' && !features.includes('large') && !features.includes('float16');
  const report = await runConformance(plainBackend({ ...kernels, ...replaced }), { filter });
  return summarise(report)
    .filter(({ failed }) => failed > 0)
    .map(({ op }) => op);
}

/** A kernel whose results are changed afterwards. */
const changed =
  <N extends Arity, A>(kernel: Kernel<N, A>, change: (x: number, i: number) => number): Kernel<N, A> =>
  (instruction) => {
    const run = kernel(instruction);
    return (...operands) => {
      const out = run(...operands);
      for (let i = 0; i < out.length; i++) out[i] = change(out[i], i);
      return out;
    };
  };

test.each([
  ['exp', changed(kernels.exp, (y) => y * (1 + 1e-4)), ['exp']],
  ['tanh', changed(kernels.tanh, (y) => y + 1e-5), ['tanh']],
  // Places along an axis are compared with whole numbers in a case of `equal`.
  ['iota', changed(kernels.iota, (y) => y + 1), ['equal', 'iota']],
] as const)('%s that is slightly wrong is named', async (op, kernel, named) => {
  expect(await wrongOps({ [op]: kernel })).toEqual(named);
});

test('a maximum that drops NaN is named', async () => {
  const maximum: KernelTable['maximum'] = (instruction) => {
    const [above, pick] = [kernels.less(instruction), kernels.maximum(instruction)];
    return (a, b) => {
      const [bWins, out] = [above(a, b), pick(a, b)];
      return out.map((y, i) => (Number.isNaN(y) ? (bWins[i] ? y : 0) : y)) as typeof out;
    };
  };
  expect(await wrongOps({ maximum })).toEqual(['maximum']);
});

test('a transposition by the inverse permutation, where that has the same shape, is named', async () => {
  const transpose: KernelTable['transpose'] = (instruction) => {
    const { inputs, output, attributes } = instruction;
    const inverse = attributes.permutation.map((_, axis) => attributes.permutation.indexOf(axis));
    const fits = inverse.every((axis, i) => inputs[0].shape[axis] === output.shape[i]);
    return kernels.transpose(fits ? { ...instruction, attributes: { permutation: inverse } } : instruction);
  };
  expect(await wrongOps({ transpose })).toEqual(['transpose']);
});

test('a contraction that drops its last product is named', async () => {
  const dotGeneral: KernelTable['dotGeneral'] = (instruction) => {
    const run = kernels.dotGeneral(instruction);
    return (a, b) => {
      const shortened = a.slice();
      shortened[shortened.length - 1] = 0;
      return run(shortened, b);
    };
  };
  expect(await wrongOps({ dotGeneral })).toEqual(['dotGeneral']);
});
