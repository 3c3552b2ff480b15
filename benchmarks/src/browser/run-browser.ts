/**
 * Train steps in headless Chromium: this project's ways of computing in a page beside jax-js and TensorFlow.js, each program in a page
 * of its own, one after the other and then in turns. What a step makes WebGPU do is counted, which does not depend on the machine; how long it
 * takes on an adapter that computes in software says little, and is said to be so.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bundlePage, launchChromium, servePage, type PageProgram } from '@meanflow/conformance/chromium';
import type { Page } from 'playwright-core';
import {
  differences,
  disagreements,
  gpuTolerances,
  tolerances,
  type Differences,
} from '../driver/agreement.js';
import type { Effort } from '../driver/run-case.js';
import { median } from '../driver/statistics.js';
import type { Compared, StepTime } from '../driver/worker.js';
import {
  ORT_FILES,
  PAGE,
  TFJS_FILES,
  type GpuCounts,
  type Opened,
  type PageApi,
  type PageProgramName,
} from './messages.js';
import type { BrowserCase } from '../cases.js';

/** A program's figures in a page; times are milliseconds of a step. */
export interface BrowserRow {
  readonly name: PageProgramName;
  readonly median: number;
  readonly minimum: number;
  readonly firstStepSeconds: number;
  readonly counts?: GpuCounts | undefined;
  readonly differences: Differences;
}

export interface BrowserResult {
  /** The case. */
  readonly name: string;
  readonly chromium: string;
  /** The WebGPU adapter, and whether it computes in software; `undefined` where there is none. */
  readonly adapter: string | undefined;
  readonly rows: readonly BrowserRow[];
  readonly absent: readonly { readonly title: string; readonly why: string }[];
}

const require = createRequire(import.meta.url);
const program: PageProgram = {
  entry: new URL('./page.js', import.meta.url),
  folders: {
    [ORT_FILES]: dirname(require.resolve('onnxruntime-web')),
    [TFJS_FILES]: join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out'),
  },
  // ONNX Runtime then fetches its WebAssembly glue as a file, which its worker threads need, too.
  conditions: ['onnxruntime-web-use-extern-wasm'],
};

/** Longest that a program may take to its third step: an adapter in software takes minutes for w2. */
const PATIENCE = 900_000;

/**
 * @param expected the first losses and the gradient that they are compared with
 * @throws {BackendError} when there is no Chromium, saying what to install
 */
export async function runInBrowser(
  { name, programs }: BrowserCase,
  expected: Compared,
  { rounds, turn }: Effort,
  log: (line: string) => void,
): Promise<BrowserResult> {
  const browser = await launchChromium();
  const server = await servePage(await bundlePage(program), program.folders);
  try {
    const absent: { title: string; why: string }[] = [];
    const running: Running[] = [];
    let adapter: string | undefined;
    for (const each of programs) {
      log(`${name} in Chromium: starting ${each}`);
      const page = await browser.newPage();
      try {
        await page.goto(server.url);
        adapter ??= await page.evaluate(describeAdapter);
        const opened = await within(PATIENCE, ask(page, 'open', [each, name]));
        const found = differences(opened.compared, expected);
        const wrong = disagreements(found, each.endsWith('webgpu') ? gpuTolerances : tolerances);
        if (wrong.length > 0)
          throw new Error(`not the same numbers (${wrong.join(', ')}: ${JSON.stringify(found)})`);
        running.push({ name: each, page, opened, differences: found, times: [] });
      } catch (error) {
        absent.push({ title: each, why: `it failed: ${(error as Error).message.split('\n')[0]}` });
        await page.close();
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { page, times } of running) {
        const [first] = times;
        // As the others do, but at least one step, however slow.
        const count = first === undefined ? 1 : Math.max(1, Math.min(100, Math.round(turn / first)));
        const made = await ask(page, 'time', [count]);
        times.push(...made.map(([wall]) => wall));
      }
    }
    const rows = running.map(({ name: title, opened, differences: found, times }) => ({
      ...{ name: title, median: median(times), minimum: Math.min(...times), differences: found },
      ...{ firstStepSeconds: opened.firstStepSeconds, counts: opened.counts },
    }));
    return { name, chromium: browser.version(), adapter, rows, absent };
  } finally {
    await server.close();
    await browser.close();
  }
}

interface Running {
  readonly name: PageProgramName;
  readonly page: Page;
  readonly opened: Opened;
  readonly differences: Differences;
  readonly times: number[];
}

function ask(page: Page, what: 'open', given: Parameters<PageApi['open']>): Promise<Opened>;
function ask(page: Page, what: 'time', given: Parameters<PageApi['time']>): Promise<readonly StepTime[]>;
async function ask(page: Page, what: keyof PageApi, given: readonly unknown[]): Promise<unknown> {
  type Global = Record<string, Record<string, (...given: readonly unknown[]) => unknown>>;
  return page.evaluate(
    ([api, method, values]) => (globalThis as unknown as Global)[api]![method]!(...values),
    [PAGE, what, given] as const,
  );
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no third step in ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs in the page. */
async function describeAdapter(): Promise<string | undefined> {
  interface Gpu {
    requestAdapter(): Promise<{
      readonly info: {
        readonly vendor: string;
        readonly architecture: string;
        readonly description: string;
        readonly isFallbackAdapter?: boolean;
      };
    } | null>;
  }
  const adapter = await (
    globalThis as { readonly navigator?: { readonly gpu?: Gpu } }
  ).navigator?.gpu?.requestAdapter();
  if (adapter === null || adapter === undefined) return undefined;
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const isSoftware =
    isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(`${architecture} ${description}`);
  return `${[vendor, architecture, description].filter((text) => text !== '').join(' ')}${isSoftware ? ', in software' : ''}`;
}
