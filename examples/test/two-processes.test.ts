/** Two processes with half of each batch have the losses of one with whole batches, to rounding. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('the losses differ by rounding alone, over some steps', async () => {
  const loader = ['--conditions', '@meanflow/source', '--import', at('../../scripts/typescript-loader.mjs')];
  const { stdout } = await promisify(execFile)(process.execPath, [...loader, at('../two-processes.ts'), '6']);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(4);
  const losses = Array.from(stdout.matchAll(/loss (\S+) of two processes, (\S+) of one/g), ([, two, one]) => [
    Number(two),
    Number(one),
  ]);
  expect(losses.length).toBe(3);
  for (const [two, one] of losses) expect(Math.abs(two! - one!) / one!).toBeLessThan(1e-5);
  // Training goes on: it is not the same step again and again.
  expect(new Set(losses.map(([, one]) => one)).size).toBe(3);
  expect(Number(/relative difference is (\S+)/.exec(stdout)![1])).toBeLessThan(1e-5);
}, 60_000);
