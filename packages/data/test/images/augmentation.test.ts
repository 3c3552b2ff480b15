/** What is done to an image is drawn for it alone: mirroring, and either shift, of one another, of other rows, steps and seeds. */
import { RandomKey } from '@meanflow/core';
import { augmentations } from '../../src/images/augmentation.js';

const ROWS = 4000;
const drawn = (seed: number, step: number) =>
  augmentations({ flip: true, cropPadding: 4 }, RandomKey.fromSeed(seed), step, ROWS);
const columns = (seed: number, step: number): Record<string, number[]> => {
  const rows = drawn(seed, step);
  return {
    flip: rows.map(({ isFlipped }) => Number(isFlipped)),
    right: rows.map(({ right }) => right),
    down: rows.map(({ down }) => down),
  };
};

/** In deviations of what independent numbers would have. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [p, q] = [mean(a), mean(b)];
  const covariance = mean(a.map((x, i) => (x - p) * (b[i]! - q)));
  const size = Math.sqrt(mean(a.map((x) => (x - p) ** 2)) * mean(b.map((x) => (x - q) ** 2)));
  return (Math.sqrt(a.length) * covariance) / size;
}

const now = columns(3, 11);

test('each happens as often as it should', () => {
  const share = now.flip!.reduce((sum, x) => sum + x, 0) / ROWS;
  expect(Math.abs(share - 0.5)).toBeLessThan(5 * 0.5 * ROWS ** -0.5);
  for (const name of ['right', 'down']) {
    const counts = Array.from({ length: 9 }, (_, i) => now[name]!.filter((x) => x === i - 4).length);
    expect(counts.reduce((sum, x) => sum + x)).toBe(ROWS);
    for (const count of counts) expect(Math.abs(count - ROWS / 9)).toBeLessThan(5 * Math.sqrt(ROWS / 9));
  }
});

test.each([
  ['rows', (name: string, other: string) => [now[name]!.slice(1), now[other]!.slice(0, -1)]],
  [
    'what is done to a row',
    (name: string, other: string) => [now[name]!, name === other ? undefined : now[other]!],
  ],
  ['steps', (name: string, other: string) => [now[name]!, columns(3, 12)[other]!]],
  ['seeds', (name: string, other: string) => [now[name]!, columns(4, 11)[other]!]],
] as const)('independent of one another: %s', (_, pair) => {
  const names = Object.keys(now);
  for (const name of names)
    for (const other of names) {
      const [a, b] = pair(name, other);
      if (a !== undefined && b !== undefined) expect(Math.abs(correlation(a, b))).toBeLessThan(5);
    }
});
