/** `@meanflow/browser`: the conformance kit in a real browser. */
export { findChromium, launchChromium } from './chromium.js';
export { browserBackends, conformanceInBrowser, type BrowserOptions } from './run.js';
