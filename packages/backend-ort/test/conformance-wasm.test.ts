/** The conformance kit on WebAssembly, with onnxruntime-web as browsers run it. */
import { describeConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { openWasm } from './devices.js';

describeConformance(openWasm, { describe, test, afterAll, cases: modelCases() });
