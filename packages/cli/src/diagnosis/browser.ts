/** The browser that `meanflow conformance` can run backends in. Whether they run there, that command finds out. */
import { findChromium } from '@meanflow/conformance/chromium';
import { pageBackends } from '../conformance/page-backends.js';
import { attempt, type Finding } from './finding.js';

export async function examineBrowser(): Promise<Finding> {
  return attempt('chromium', 'absent', async () => {
    const names = Object.keys(pageBackends).map((name) => `chromium/${name}`);
    return `${findChromium()}, in which "meanflow conformance" can run ${names.join(', ')}`;
  });
}
