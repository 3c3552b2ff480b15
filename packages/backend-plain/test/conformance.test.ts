import { describeConformance } from '@meanflow/conformance';
import { plainBackend } from '../src/index.js';

describeConformance(() => plainBackend(), { describe, test, afterAll });
