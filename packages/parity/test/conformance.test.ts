/** The cases on the reference interpreter, and that the kit takes them beside its own. */
import { conformanceCases, describeConformance } from '@meanflow/conformance';
import { referenceBackend } from '@meanflow/core';
import { modelCases } from '../src/index.js';

test('ids are unique, among those of the kit too', () => {
  const all = conformanceCases({ cases: modelCases() }).map(({ id }) => id);
  expect(new Set(all).size).toBe(conformanceCases().length + modelCases().length);
});

describeConformance(() => referenceBackend(), {
  describe,
  test,
  afterAll,
  cases: modelCases(),
  filter: (entry) => modelCases().includes(entry),
  name: 'the reference interpreter conforms',
});
