/** The conformance kit on every device. */
import { describeConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { onEveryDevice, open } from './support.js';

onEveryDevice(({ device }) => {
  describeConformance(() => open(device), { describe, test, afterAll, cases: modelCases() });
});
