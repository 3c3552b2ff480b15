/** ONNX Runtime in Chromium, where a run on a device that was destroyed would wait for ever. */
import { absenceInChromium, bundlePage, launchChromium, servePage } from '@meanflow/conformance/chromium';
import { kit, pageProgram } from './support.js';

const reason = await absenceInChromium(kit, 'ort:webgpu');
const inChromium = reason === undefined ? test : test.skip;

inChromium('calls on a lost device say so', async () => {
  const program = pageProgram('./device-loss-page.ts');
  const server = await servePage(await bundlePage(program), program.folders);
  const browser = await launchChromium(['--use-webgpu-adapter=swiftshader']);
  try {
    const tab = await browser.newPage();
    await tab.goto(server.url);
    await tab.waitForFunction('document.title !== "meanflow conformance"', undefined, { timeout: 40_000 });
    const lost = Array.from({ length: 4 }, () => 'DeviceLostError').join(' ');
    expect(await tab.title()).toBe(`2,4,6,8 ${lost}`);
  } finally {
    await browser.close();
    await server.close();
  }
});

if (reason !== undefined) test.skip(`Chromium or its WebGPU is not here: ${reason}`, () => undefined);
