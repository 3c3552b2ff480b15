/** A device may take denormals for zero before an op, in which case 0 / 0 is NaN; it may not be wrong elsewhere. */
import { HostArray, referenceBackend, type Backend } from '@meanflow/core';
import { runConformance, type Case } from '../src/index.js';

const filter = ({ features, kind }: Case) => kind === 'graph' && features.join() === 'denormal';

/** The reference on a device that reads some numbers as zeros. */
function reading(asZero: (x: number) => boolean): Backend {
  const reference = referenceBackend();
  const read = (array: HostArray) =>
    new HostArray(
      'float32',
      array.shape,
      Float32Array.from(array.data, (x) => (asZero(x) ? Math.sign(x) * 0 : x)),
    );
  return {
    ...reference,
    compile: async (graph, options) => {
      const executable = await reference.compile(graph, options);
      return {
        ...executable,
        run: (inputs) =>
          executable.run(
            Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, read(x as HostArray)])),
          ),
      };
    },
  };
}

async function failing(backend: Backend): Promise<string[]> {
  const { results } = await runConformance(backend, { filter });
  expect(results.length).toBeGreaterThan(20);
  return results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id);
}

test('denormals read as zeros are accepted, with the NaN of their quotients', async () => {
  expect(await failing(reading((x) => Math.abs(x) < 2 ** -126))).toEqual([]);
});

test('the smallest normal number read as zero is not', async () => {
  expect(await failing(reading((x) => Math.abs(x) <= 2 ** -126))).toContain('div: denormal');
});
