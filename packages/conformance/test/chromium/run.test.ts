import type { Browser } from 'playwright-core';
import type { Case } from '../../src/index.js';
import { BackendError } from '@meanflow/core';
import { conformanceInChromium, launchChromium, type ChromiumOptions } from '../../src/chromium.js';
import { describeChromium, program } from './support.js';

test('a page that cannot be bundled is refused, naming it', async () => {
  const entry = new URL('./nowhere.ts', import.meta.url);
  const refused = conformanceInChromium({ entry }, 'reference', { launch: async () => closed });
  await expect(refused).rejects.toThrow(BackendError);
  await expect(refused).rejects.toThrow(/^The page .*nowhere\.ts cannot be bundled: /);
});

const closed = { close: async () => undefined } as Browser;

describeChromium('in Chromium', () => {
  /** Runs with a browser that the test can disturb after the third result. */
  async function disturbed(disturb: (browser: Browser) => unknown, options: ChromiumOptions = {}) {
    let browser: Browser | undefined;
    const report = await conformanceInChromium(program, 'reference', {
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
    const report = await conformanceInChromium(program, 'reference', {
      filter: ({ op }) => op === 'neg',
      onResult: ({ id }, done, count) => progress.push(`${id} ${done}/${count}`),
    });
    expect(report).toMatchObject({
      backend: 'chromium/reference',
      device: { device: 'cpu', versions: { chromium: expect.stringMatching(/^\d+\./) } },
    });
    expect(progress).toEqual(report.results.map(({ id }, i, { length }) => `${id} ${i + 1}/${length}`));
    expect(progress.length).toBeGreaterThan(10);
  });

  test('memory is measured', async () => {
    const filter = ({ op }: Case) => op === 'memory';
    const { results } = await conformanceInChromium(program, 'with memory', { filter });
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) {
      expect(result).toMatchObject({
        outcome: 'passed',
        detail: expect.stringContaining('196608 wasmBytes'),
      });
    }
  });

  test('a backend that the page has not is refused, with the nearest', async () => {
    const refused = conformanceInChromium(program, 'referense');
    await expect(refused).rejects.toThrow(BackendError);
    await expect(refused).rejects.toThrow('Did you mean "reference"');
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
});
