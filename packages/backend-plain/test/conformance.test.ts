import { describeConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { plainBackend } from '../src/index.js';

describeConformance(() => plainBackend(), { describe, test, afterAll, cases: modelCases() });
