/** The conformance kit on WebGPU: every primitive, derivative, composite, train step and behaviour. */
import { describeConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { describeWebgpu, openWebgpu } from './devices.js';

describeWebgpu('ort:webgpu', () => {
  describeConformance(openWebgpu, { describe, test, afterAll, cases: modelCases() });
});
