/**
 * conformanceInChromium: the kit on a backend in Chromium. A browser and a server of its own for each run, which are closed whatever
 * happens; a page that crashes, hangs or throws ends the report there.
 */
import type { Browser, Page } from 'playwright-core';
import { remoteReport, type RemoteLine, type RemoteOptions } from '../remote.js';
import type { Report } from '../report/report.js';
import { launchChromium } from './browser.js';
import { bundlePage, type PageProgram } from './bundle.js';
import { START, TELL, type PageRequest } from './messages.js';
import { servePage } from './server.js';

export interface ChromiumOptions extends RemoteOptions {
  /** Takes a WebGPU adapter that computes in software, such as Chromium's SwiftShader; without it that is an error. */
  readonly allowSoftware?: boolean;
  /** Starts the browser, which is closed after the run; by default the Chromium of this machine. */
  readonly launch?: () => Promise<Browser>;
}

/**
 * Runs the kit in headless Chromium.
 *
 * @param program the page's, which calls `serveInPage` with its backends
 * @param backend one of them, by name
 * @returns the report, in which the backend is called `chromium/…` and Chromium's version stands among the device's
 * @throws {BackendError} when there is no Chromium, the page cannot be bundled, or the backend cannot be opened in it: no such
 *   name, no adapter, or one in software
 */
export async function conformanceInChromium(
  program: PageProgram,
  backend: string,
  options: ChromiumOptions = {},
): Promise<Report> {
  const { allowSoftware = false, launch = () => launchChromium(), ...remote } = options;
  const browser = await launch();
  try {
    const server = await servePage(await bundlePage(program), program.folders);
    try {
      const page = await browser.newPage();
      const report = await remoteReport(`chromium/${backend}`, remote, (line) => {
        listen(line, page, browser);
        const request: PageRequest = { backend, cases: line.cases, allowSoftware };
        begin(page, server.url, line, request).catch((error: unknown) => line.end(firstLine(error)));
      });
      const versions = { ...report.device.versions, chromium: browser.version() };
      return { ...report, device: { ...report.device, versions } };
    } finally {
      await server.close();
    }
  } finally {
    await browser.close();
  }
}

/** Ends the report with the page. */
function listen({ end }: RemoteLine, page: Page, browser: Browser): void {
  // The browser says no more than this; what the page complained of before is the best hint.
  const complaints: string[] = [];
  const because = (what: string): string => [what, ...complaints.slice(-3)].join('; ');
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('crash', () => end(because('the page crashed')));
  page.on('close', () => end(because('the page was closed')));
  browser.on('disconnected', () => end(because('Chromium ended')));
}

async function begin(page: Page, url: string, line: RemoteLine, request: PageRequest): Promise<void> {
  await page.exposeFunction(TELL, line.hear);
  await page.goto(url);
  await page.evaluate(
    ([start, given]) => (globalThis as unknown as Record<string, (request: PageRequest) => unknown>)[start]!(given),
    [START, request] as const,
  ); // prettier-ignore
}

const firstLine = (error: unknown): string =>
  `the page failed: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`;
