/** The conformance kit on WebGPU: every primitive, derivative, composite, train step and behaviour. */
import { describeConformance } from '@meanflow/conformance';
import { describeWebgpu, openWebgpu } from './devices.js';

describeWebgpu('ort:webgpu', () => {
  describeConformance(openWebgpu, { describe, test, afterAll });
});
