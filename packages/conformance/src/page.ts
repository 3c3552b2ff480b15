/** `@meanflow/conformance/page`: the side of the kit in Chromium that runs in the page. */
export { serveInPage, type PageBackends, type PageOptions } from './chromium/page.js';
