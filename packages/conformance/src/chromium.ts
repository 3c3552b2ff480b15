/**
 * `@meanflow/conformance/chromium`: the kit in headless Chromium, on a page of the caller's. It needs `esbuild` and
 * `playwright-core`, which are to be installed beside it.
 */
export { findChromium, launchChromium } from './chromium/browser.js';
export { bundlePage, type Bundle, type PageProgram } from './chromium/bundle.js';
export { absenceInChromium, describeInChromium, type SkippingTestFunctions } from './chromium/describe.js';
export { conformanceInChromium, type ChromiumOptions } from './chromium/run.js';
export { servePage, type PageServer } from './chromium/server.js';
