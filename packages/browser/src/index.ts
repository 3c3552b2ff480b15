/** `@meanflow/browser`: the conformance kit in a real browser. */
export { findChromium } from './chromium.js';
export { browserBackends, conformanceInBrowser, type BrowserOptions } from './run.js';
