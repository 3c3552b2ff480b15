/** The conformance kit on the CPU. */
import { describeConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { ortBackend } from '../src/index.js';
import { ort } from './support.js';

describeConformance(() => ortBackend({ ort, threads: 2 }), { describe, test, afterAll, cases: modelCases() });
