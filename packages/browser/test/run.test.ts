import type { Case } from '@meanflow/conformance';
import { ArgumentError, BackendError } from '@meanflow/core';
import type { Browser } from 'playwright-core';
import { conformanceInBrowser, launchChromium, type BrowserOptions } from '../src/index.js';
import { describeChromium } from './support.js';

const onlyNeg = ({ op }: Case): boolean => op === 'neg';

test('a backend that no browser has is refused', async () => {
  const refused = conformanceInBrowser('ort:wams');
  await expect(refused).rejects.toThrow(ArgumentError);
  await expect(refused).rejects.toThrow('Did you mean "ort:wasm"');
});

describeChromium('in Chromium', () => {
  /** Runs with a browser that the test can disturb after the third result. */
  async function disturbed(disturb: (browser: Browser) => unknown, options: BrowserOptions = {}) {
    let browser: Browser | undefined;
    const report = await conformanceInBrowser('ort:wasm', {
      // The case about memory lets the page hear of other things; the first ones keep it busy.
      filter: ({ op }) => ['neg', 'memory', 'train step'].includes(op),
      launch: async () => (browser = await launchChromium()),
      // What is disturbed may fail as well: that is the point.
      onResult: (_, done) => done === 3 && void Promise.resolve(disturb(browser!)).catch(() => undefined),
      ...options,
    });
    expect(browser!.isConnected()).toBe(false);
    return report;
  }

  test('the report names the backend, Chromium and the cases in their order', async () => {
    const progress: string[] = [];
    const report = await conformanceInBrowser('ort:wasm', {
      filter: onlyNeg,
      onResult: ({ id }, done, count) => progress.push(`${id} ${done}/${count}`),
    });
    expect(report).toMatchObject({
      backend: 'chromium/ort:wasm',
      device: {
        device: 'wasm',
        versions: {
          chromium: expect.stringMatching(/^\d+\./),
          'onnxruntime-web': expect.stringMatching(/^1\./),
        },
      },
    });
    expect(progress).toEqual(report.results.map(({ id }, i, { length }) => `${id} ${i + 1}/${length}`));
    expect(progress.length).toBeGreaterThan(10);
  });

  test('memory is measured', async () => {
    const { results } = await conformanceInBrowser('ort:wasm', { filter: ({ op }) => op === 'memory' });
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) {
      expect(result).toMatchObject({
        outcome: 'passed',
        detail: expect.stringMatching(/[1-9]\d* wasmBytes/),
      });
    }
  });

  test('a browser that ends, ends the report where it was', async () => {
    const { ended } = await disturbed((browser) => browser.close());
    expect(ended).toMatch(/^in .*: (Chromium ended|the page)/);
  });

  test('a page that crashes, ends the report where it was', async () => {
    const { ended } = await disturbed((browser) => browser.contexts()[0].pages()[0].goto('chrome://crash'));
    expect(ended).toMatch(/^in .*: the page crashed/);
  });

  test('a page that hangs is given up', async () => {
    const hang = (browser: Browser) =>
      browser
        .contexts()[0]
        .pages()[0]
        .evaluate(() => {
          for (;;);
        });
    const { ended, results } = await disturbed(hang, { stallSeconds: 5 });
    expect(ended).toMatch(/^in .*: nothing was heard for 5 seconds/);
    expect(results.length).toBeGreaterThanOrEqual(3);
  });

  test('a software adapter is refused unless it is allowed', async () => {
    // Whatever GPU there is, this Chromium has the one in software.
    const launch = () => launchChromium(['--use-webgpu-adapter=swiftshader']);
    for (const backend of ['tfjs:webgpu', 'ort:webgpu']) {
      const refused = conformanceInBrowser(backend, { launch, filter: onlyNeg });
      await expect(refused).rejects.toThrow(BackendError);
      await expect(refused).rejects.toThrow(/asked for, but the only adapter .*in software: .*swiftshader/);
    }
  });
});
