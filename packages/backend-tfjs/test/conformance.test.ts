/** The conformance kit on every device. */
import { describeConformance, type Unsupported } from '@meanflow/conformance';
import { onEveryDevice, open } from './support.js';

/** On a device that takes denormals for zero, the quotient of two is a NaN. */
const WEBGPU: readonly Unsupported[] = [
  { id: 'div: denormal', reason: 'WebGPU may take denormals for zero, and 0 / 0 is NaN.' },
];

onEveryDevice(({ device }) => {
  const unsupported = device === 'webgpu' ? WEBGPU : [];
  describeConformance(() => open(device), { describe, test, afterAll, unsupported });
});
