import { RandomKey } from '@meanflow/core';
import {
  checkerboard,
  distributions,
  eightGaussianCentres,
  eightGaussianDeviation,
} from '../../src/index.js';

const key = RandomKey.fromSeed(7);
const COUNT = 100_000;

describe.each(distributions.map((distribution) => [distribution.name, distribution] as const))(
  '%s',
  (_, it_) => {
    const { x, label } = it_.sampleLabelled(key, COUNT);

    it('has zero mean and unit variance along each axis, to the sampling error', () => {
      for (const axis of [0, 1]) {
        const values = x.data.filter((_, i) => i % 2 === axis);
        const mean = values.reduce((sum, value) => sum + value, 0) / COUNT;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / COUNT;
        const fourth = values.reduce((sum, value) => sum + (value - mean) ** 4, 0) / COUNT;
        expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(COUNT));
        expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt((fourth - 1) / COUNT));
      }
    });

    it('draws each class equally often', () => {
      const counts = new Array<number>(it_.classCount).fill(0);
      for (const value of label.data) counts[value]++;
      const expected = COUNT / it_.classCount;
      const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 7 degrees of freedom at most: P(χ² > 30) < 1e-4.
      expect(chiSquared).toBeLessThan(30);
    });

    it('gives the same samples for the same key, and others for another', () => {
      expect(it_.sample(key, 16).data).toEqual(it_.sampleLabelled(key, 16).x.data);
      expect(it_.sample(key.fold('other'), 16).data).not.toEqual(it_.sample(key, 16).data);
    });

    it('refuses a count that is not a positive whole number', () => {
      expect(() => it_.sample(key, 0)).toThrow(
        `A sample of "${it_.name}" needs a positive whole number of rows, got 0.`,
      );
      expect(() => it_.sample(key, 1.5)).toThrow('got 1.5');
    });

    const { support } = it_;
    if (support) {
      it('holds its samples in the mode of their class, but for the share beyond 3σ', () => {
        let off = 0;
        let elsewhere = 0;
        for (let i = 0; i < COUNT; i++) {
          const mode = support.modeOf(x.data.subarray(2 * i, 2 * i + 2));
          if (mode < 0) off++;
          else if (mode !== label.data[i]) elsewhere++;
        }
        const [low, high] = offShare[it_.name];
        expect(off / COUNT).toBeGreaterThanOrEqual(low);
        expect(off / COUNT).toBeLessThanOrEqual(high);
        expect(elsewhere / COUNT).toBeLessThan(0.001);
      });
    }
  },
);

/** Exact for 8 Gaussians (exp(−9/2) = .0111), checkerboard (0) and rings (.0027); bounds for curves with ends. */
const offShare: Record<string, readonly [number, number]> = {
  '8-gaussians': [0.0101, 0.0121],
  checkerboard: [0, 0],
  'two-moons': [0.002, 0.0035],
  spirals: [0.0015, 0.0045],
  rings: [0.0022, 0.0032],
};

describe('supports', () => {
  it('8 Gaussians: 3σ about each centre', () => {
    const { support } = distributions[0];
    eightGaussianCentres.forEach(([x, y], mode) => {
      expect(support!.modeOf([x, y])).toBe(mode);
      expect(support!.modeOf([x + 2.99 * eightGaussianDeviation, y])).toBe(mode);
      expect(support!.modeOf([x, y - 3.01 * eightGaussianDeviation])).toBe(-1);
    });
    expect(support!.modeOf([0, 0])).toBe(-1);
    expect(Math.hypot(...eightGaussianCentres[3])).toBeCloseTo(5 / Math.sqrt(12.6), 12);
    expect(eightGaussianDeviation).toBeCloseTo(Math.sqrt(0.1 / 12.6), 12);
  });

  it('checkerboard: half of its bounding square, in squares of side √3/2', () => {
    const side = Math.sqrt(3) / 2;
    const modes = new Set<number>();
    let on = 0;
    for (let column = 0; column < 4; column++) {
      for (let row = 0; row < 4; row++) {
        const mode = checkerboard.support!.modeOf([(column - 1.5) * side, (row - 1.5) * side]);
        if (mode >= 0) on++;
        modes.add(mode);
      }
    }
    expect(on).toBe(8);
    expect(modes.size).toBe(9);
    expect(checkerboard.support!.modeOf([2.01 * side, 1.5 * side])).toBe(-1);
    expect(checkerboard.support!.modeOf([-1.5 * side, -2.01 * side])).toBe(-1);
    // Its outer corner is on it, however float32 rounds it.
    expect(checkerboard.support!.modeOf([Math.fround(-2 * side), Math.fround(-2 * side)])).toBe(0);
  });

  it('curves: a point on them is on, the gap between them is off', () => {
    const named = Object.fromEntries(
      distributions.map((distribution) => [distribution.name, distribution.support]),
    );
    const moonX = Math.sqrt(0.76);
    const moonY = Math.sqrt(0.5 - 4 / Math.PI ** 2 + (2 / Math.PI - 0.25) ** 2 + 0.01);
    const moon = (x: number, y: number): number =>
      named['two-moons']!.modeOf([(x - 0.5) / moonX, (y - 0.25) / moonY]);
    expect([moon(0, 1), moon(1, -0.5), moon(-1, -0.29), moon(-1, -0.31), moon(0.5, 0.25)]).toEqual([
      0, 1, 0, -1, -1,
    ]);

    const end = 3 * Math.PI;
    const spiralX = Math.sqrt(end ** 2 / 4 + 0.75 + 0.09);
    const spiralY = Math.sqrt(end ** 2 / 4 - 0.75 + 0.09);
    const spiral = (x: number, y: number): number => named.spirals!.modeOf([x / spiralX, y / spiralY]);
    expect([spiral(end, 0), spiral(-end, 0), spiral(0, end - Math.PI / 2), spiral(0, 1.5 * Math.PI)]).toEqual(
      [0, 1, 0, 1],
    );
    expect([spiral(0, end), spiral(end + 0.95, 0)]).toEqual([-1, -1]);

    const ring = Math.sqrt(7.51 / 2);
    const at = (radius: number): number => named.rings!.modeOf([0, -radius / ring]);
    expect([at(1.29), at(1.31), at(3), at(4.31), at(0)]).toEqual([0, -1, 2, -1, -1]);
    expect(named.pinwheel).toBeUndefined();
  });
});
