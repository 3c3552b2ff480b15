/**
 * The conformance kit on the CPU by the public binding: what differs from the native one, which runs the whole kit, is how graphs
 * are run, not what they compute.
 */
import { describeConformance } from '@meanflow/conformance';
import { ortBackend } from '../src/index.js';
import { ort } from './support.js';

const aspects = new Set(['values', 'lifetime', 'errors', 'state', 'sampling']);

describeConformance(() => ortBackend({ ort, threads: 2, binding: 'public' }), {
  ...{ describe, test, afterAll },
  filter: ({ aspect }) => aspects.has(aspect),
});
