/** The conformance kit on TensorFlow.js in headless Chromium: a test for each op and aspect. */
import { conformanceInChromium, describeInChromium, launchChromium } from '@meanflow/conformance/chromium';
import { BackendError } from '@meanflow/core';
import { modelCases } from '@meanflow/parity';

const program = { entry: new URL('./page.ts', import.meta.url) };
const absence = await describeInChromium(program, 'tfjs:webgpu', { describe, test, cases: modelCases() });

(absence === undefined ? test : test.skip)('a software adapter is refused unless it is allowed', async () => {
  // Whatever GPU there is, this Chromium has the one in software.
  const launch = () => launchChromium(['--use-webgpu-adapter=swiftshader']);
  const refused = conformanceInChromium(program, 'tfjs:webgpu', { launch, filter: () => false });
  await expect(refused).rejects.toThrow(BackendError);
  await expect(refused).rejects.toThrow(/asked for, but the only adapter .*in software: .*swiftshader/);
});
