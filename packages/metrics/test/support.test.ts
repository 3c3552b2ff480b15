import { hostArray, hostZeros } from '@meanflow/core';
import { modeCoverage, shareOffSupport, type Support } from '../src/index.js';

/** Four unit intervals of the line, [0, 1) to [3, 4). */
const intervals: Support = {
  modeCount: 4,
  modeOf: ({ 0: at }) => (at >= 0 && at < 4 ? Math.floor(at) : -1),
};

const samples = hostArray([[0.5], [0.2], [1.5], [3.1], [-1], [9], [0.9], [0.1]]);

describe('modeCoverage', () => {
  it('counts modes and what misses them', () => {
    const { counts, offSupport, covered, totalVariation } = modeCoverage(samples, intervals);
    expect(counts).toEqual([4, 1, 0, 1]);
    expect(offSupport).toBe(0.25);
    expect(covered).toBe(0.75);
    // ½(|4/6 − ¼| + 2·|1/6 − ¼| + ¼).
    expect(totalVariation).toBeCloseTo(5 / 12, 14);
    expect(shareOffSupport(samples, intervals)).toBe(0.25);
  });

  it('covers a mode from a stated part of its fair share of all samples on', () => {
    expect(modeCoverage(samples, intervals, { fairShare: 0.5 }).covered).toBe(0.75);
    expect(modeCoverage(samples, intervals, { fairShare: 0.51 }).covered).toBe(0.25);
    expect(() => modeCoverage(samples, intervals, { fairShare: 0 })).toThrow('above 0 and at most 1, got 0');
  });

  it('is even for even samples, and as uneven as can be where none is on the support', () => {
    const even = modeCoverage(hostArray([[0], [1], [2], [3]]), intervals);
    expect(even).toEqual({ counts: [1, 1, 1, 1], offSupport: 0, covered: 1, totalVariation: 0 });
    const off = modeCoverage(hostArray([[-1]]), intervals);
    expect(off).toEqual({ counts: [0, 0, 0, 0], offSupport: 1, covered: 0, totalVariation: 1 });
  });

  it('refuses no samples and diverged ones', () => {
    expect(() => shareOffSupport(hostZeros([0, 1]), intervals)).toThrow('at least 1 row');
    expect(() => shareOffSupport(hostArray([[NaN]]), intervals)).toThrow('hold NaN in row 0');
  });
});
