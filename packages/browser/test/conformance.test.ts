/** The conformance kit on each backend in headless Chromium: a test for each op and aspect. */
import { describeReport } from '@meanflow/conformance';
import { browserBackends, conformanceInBrowser } from '../src/index.js';
import { absences } from './support.js';

for (const backend of browserBackends) {
  const reason = absences[backend];
  // The runner does not show the names of suites that are skipped.
  if (reason !== undefined) console.warn(`chromium/${backend} is not tested: ${reason}`);
  const name = `chromium/${backend}`;
  const suite =
    reason === undefined
      ? { name, describe }
      : { name: `${name} cannot run here: ${reason}`, describe: describe.skip };
  describeReport((options) => conformanceInBrowser(backend, { ...options, allowSoftware: true }), {
    ...suite,
    test,
  });
}
