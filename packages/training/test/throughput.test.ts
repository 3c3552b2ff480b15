import { Throughput } from '../src/throughput.js';

/** A clock that the test turns. */
let seconds = 0;
const { now } = performance;
beforeEach(() => {
  seconds = 0;
  performance.now = () => 1000 * seconds;
});
afterEach(() => {
  performance.now = now;
});

/** Makes steps of one length, and tells what was reported after each. */
function paces(throughput: Throughput, step: number, count: number, length: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    seconds += length;
    return throughput.isDue(step + i + 1) ? throughput.recent(step + i + 1) : NaN;
  });
}

test('the pace is that of the last seconds', () => {
  const throughput = new Throughput(100);
  expect(throughput.recent(100)).toBe(0);
  expect(paces(throughput, 100, 10, 1)).toEqual(Array<number>(10).fill(1));
  expect(paces(throughput, 110, 24, 0.25).at(-1)).toBe(4);
  expect(throughput.seconds()).toBe(16);
});

test('steps that take longer than that have a pace, too', () => {
  const throughput = new Throughput(0);
  expect(paces(throughput, 0, 5, 8)).toEqual(Array<number>(5).fill(1 / 8));
});

test('reports keep their distance', () => {
  const throughput = new Throughput(0);
  expect(paces(throughput, 0, 4, 0.0625)).toEqual([NaN, 16, NaN, 16]);
});
