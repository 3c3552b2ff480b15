/** A file system that fails at a dozen of its calls; `npm run endure` fails at every one. */
import { ended, startChild } from '../support/child.js';

it('every failure is typed, leaves what was kept, and is made good by going on', async () => {
  const child = startChild('faults.ts', ['23']);
  let said = '';
  child.stdout!.on('data', (chunk) => (said += String(chunk)));
  expect(await ended(child)).toBe(0);
  const { calls, tried, failed } = JSON.parse(said) as Record<'calls' | 'tried' | 'failed', number>;
  expect(calls).toBeGreaterThan(100);
  expect(tried).toBe(2 * Math.ceil(calls / 23));
  expect(failed).toBeGreaterThan(tried / 2);
});
