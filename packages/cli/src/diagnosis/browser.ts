/** The browser that `meanflow conformance` can run backends in. Whether they run there, that command finds out. */
import { loadBrowser } from '../conformance/browser.js';
import { attempt, type Finding } from './finding.js';

export async function examineBrowser(): Promise<Finding> {
  return attempt('chromium', 'absent', async () => {
    const { browserBackends, findChromium } = await loadBrowser();
    const names = browserBackends.map((name) => `chromium/${name}`);
    return `${findChromium()}, in which "meanflow conformance" can run ${names.join(', ')}`;
  });
}
