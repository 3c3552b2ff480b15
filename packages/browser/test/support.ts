/** What the tests share: why Chromium or its WebGPU cannot be tested here, if they cannot. */
import { conformanceInBrowser } from '../src/index.js';
import type { PageBackendName } from '../src/page/backends.js';

/** What `.ci/run` demands of its machine: then absence is an error. */
const isRequired = ['MEANFLOW_REQUIRE_CHROMIUM', 'MEANFLOW_REQUIRE_WEBGPU'].some(
  (name) => process.env[name] === '1',
);

/** Why a backend cannot run here, if it cannot. Software is taken: what is tested is the backend, not the device. */
async function absenceOf(backend: PageBackendName): Promise<string | undefined> {
  try {
    await conformanceInBrowser(backend, { allowSoftware: true, filter: () => false });
    return undefined;
  } catch (error) {
    if (isRequired) throw error;
    return (error as Error).message.replaceAll('\n', ' ');
  }
}

const noWasm = await absenceOf('ort:wasm');

/** The backends of a browser, each with why it cannot be tested here. */
export const absences: Readonly<Record<PageBackendName, string | undefined>> = {
  'tfjs:webgpu': noWasm ?? (await absenceOf('tfjs:webgpu')),
  'ort:webgpu': noWasm ?? (await absenceOf('ort:webgpu')),
  'ort:wasm': noWasm,
};

/** A suite in Chromium; skipped where there is none, with the reason in its name. */
export const describeChromium = (name: string, define: () => void): void =>
  noWasm === undefined ? describe(name, define) : describe.skip(`${name}: ${noWasm}`, define);
