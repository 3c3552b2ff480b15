/** The conformance kit on the CPU, by the native binding. */
import { describeConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { ortBackend } from '../src/index.js';
import { ort } from './support.js';

describeConformance(() => ortBackend({ ort, threads: 2, binding: 'native' }), {
  describe,
  test,
  afterAll,
  cases: modelCases(),
});
