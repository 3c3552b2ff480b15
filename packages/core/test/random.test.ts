import { ArgumentError, RandomKey } from '../src/index.js';
import { threefry2x32 } from '../src/random.js';

const key = RandomKey.fromSeed(42);

function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return { mean, variance: list.reduce((a, x) => a + (x - mean) ** 2, 0) / list.length };
}

describe('threefry2x32', () => {
  // Known answers of Random123 (kat_vectors, threefry2x32 with 20 rounds); JAX's threefry_2x32 gives the same.
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])('encrypts under key %p the counter %p', ([k0, k1], [c0, c1], expected) => {
    const out = new Uint32Array(4);
    threefry2x32(k0, k1, c0, c1, out, 1);
    expect([...out]).toEqual([0, ...expected, 0]);
  });
});

describe('RandomKey', () => {
  it("draws the words of JAX's threefry_2x32 under key (0, 42) at the counters (0, 0), (0, 1), …", () => {
    expect([...key.bits(8)]).toEqual([
      1832780943, 270669613, 64467757, 2916123636, 2465931498, 255383827, 3134548294, 894150801,
    ]);
  });

  it('gives the same streams for ever', () => {
    // Golden values: a change here breaks the resumption of every saved run.
    expect([...key.uniform([4]).data]).toEqual([
      0.4267275333404541, 0.06302016973495483, 0.015010058879852295, 0.6789628863334656,
    ]);
    expect([...key.normal([5]).data]).toEqual([
      1.2040926218032837, 0.5033684372901917, -1.2509433031082153, -2.6140406131744385, 0.9807766675949097,
    ]);
    expect([...key.integers([6], -3, 100).data]).toEqual([40, -2, 56, 72, 67, 63]);
    expect([...key.permutation(8)]).toEqual([6, 0, 1, 2, 5, 3, 7, 4]);
    expect([...key.fold('noise').bits(2)]).toEqual([1969778589, 3983211098]);
    expect([...key.fold(7).bits(2)]).toEqual([4228941727, 3119436402]);
    expect([...key.fold('').bits(2)]).toEqual([1665997258, 1292047262]);
    expect([...key.fold(2 ** 40 + 3).bits(2)]).toEqual([1253907357, 1690450833]);
    expect([...RandomKey.fromSeed(2 ** 40 + 5).bits(2)]).toEqual([841998169, 2557459351]);
  });

  it('is pure: drawing and folding change nothing', () => {
    const before = [...key.bits(6)];
    key.normal([100]);
    key.fold('a').fold(3).uniform([10]);
    key.permutation(10);
    expect([...key.bits(6)]).toEqual(before);
    expect([...key.fold('a').fold(3).bits(4)]).toEqual([...RandomKey.fromSeed(42).fold('a').fold(3).bits(4)]);
  });

  it('extends a draw without changing its beginning', () => {
    expect([...key.bits(9)].slice(0, 5)).toEqual([...key.bits(5)]);
    expect([...key.normal([9]).data].slice(0, 5)).toEqual([...key.normal([5]).data]);
    expect([...key.uniform([3, 3]).data]).toEqual([...key.uniform([9]).data]);
  });

  it('folds distinct names and numbers into distinct streams', () => {
    const names = ['', 'a', 'b', 'ab', 'ba', 'aa', '0', '1', '7', 'noise', 'noise ', 'Noise', '\0', '\0\0'];
    const numbers = [0, 1, 2, 7, 97, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 40, Number.MAX_SAFE_INTEGER];
    const streams = [
      key,
      ...names.map((name) => key.fold(name)),
      ...numbers.map((number) => key.fold(number)),
      key.fold('a').fold('b'),
      key.fold('b').fold('a'),
      key.fold(0).fold(0),
    ];
    const firstWords = streams.map((stream) => [...stream.bits(4)].join());
    expect(new Set(firstWords).size).toBe(streams.length);
  });

  it('folds consecutive steps into uncorrelated streams', () => {
    const [a, b] = [key.fold(0).normal([20_000]).data, key.fold(1).normal([20_000]).data];
    const correlation = a.reduce((total, x, i) => total + x * b[i], 0) / a.length;
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(a.length));
  });

  it('draws uniform numbers over the whole of [low, high), never high', () => {
    const { data } = key.uniform([100_000], -2, 3);
    expect(Math.min(...data.subarray(0, 50_000))).toBeGreaterThanOrEqual(-2);
    expect(data.every((x) => x < 3)).toBe(true);
    const { mean, variance } = moments(data);
    expect(Math.abs(mean - 0.5)).toBeLessThan((4 * 5) / Math.sqrt(12 * data.length));
    expect(variance).toBeCloseTo(25 / 12, 1);
    const counts = new Array<number>(10).fill(0);
    data.forEach((x) => counts[Math.floor((x + 2) * 2)]++);
    // Chi-square with 9 degrees of freedom exceeds 33.7 once in 10,000.
    const chiSquare = counts.reduce((total, n) => total + (n - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(33.7);
  });

  it.each([
    [1, 2],
    [1000, 1001],
    [-1, 0],
    [-2, -1],
    [16777215, 16777216],
    [0, 1e-45],
  ])('stays below %p … %p when float32 rounds up', (low, high) => {
    const { data } = key.uniform([20_000], low, high);
    expect(data.every((x) => x >= Math.fround(low) && x < high)).toBe(true);
  });

  it('draws standard normal numbers', () => {
    const { data, dtype, shape } = key.normal([250, 401]);
    expect([dtype, shape]).toEqual(['float32', [250, 401]]);
    const count = data.length;
    const { mean, variance } = moments(data);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    const power = (p: number) => data.reduce((total, x) => total + x ** p, 0) / count;
    expect(Math.abs(power(3))).toBeLessThan(4 * Math.sqrt(15 / count));
    expect(Math.abs(power(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
    const beyondTwo = data.filter((x) => Math.abs(x) > 2).length / count;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(4 * Math.sqrt(0.0455 / count));
    expect(data.every(Number.isFinite)).toBe(true);
  });

  it('draws integers evenly, both ends of the range included', () => {
    const { data } = key.integers([60_000], -2, 4);
    const counts = [-2, -1, 0, 1, 2, 3].map((value) => data.filter((x) => x === value).length);
    expect(counts.reduce((a, b) => a + b)).toBe(60_000);
    // Chi-square with 5 degrees of freedom exceeds 25.7 once in 10,000.
    expect(counts.reduce((total, n) => total + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(25.7);
    const wide = key.integers([1000], -(2 ** 31), 2 ** 31).data;
    expect(wide.some((x) => x < -(2 ** 30)) && wide.some((x) => x > 2 ** 30)).toBe(true);
  });

  it('permutes: every index once, every position equally likely', () => {
    expect([...key.permutation(1000)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
    expect([...key.permutation(0)]).toEqual([]);
    const first = Array.from({ length: 5000 }, (_, step) => key.fold(step).permutation(5)[0]);
    const counts = [0, 1, 2, 3, 4].map((value) => first.filter((x) => x === value).length);
    // Chi-square with 4 degrees of freedom exceeds 23.5 once in 10,000.
    expect(counts.reduce((total, n) => total + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(23.5);
  });

  it('draws nothing for empty shapes', () => {
    expect(key.normal([0, 3]).shape).toEqual([0, 3]);
    expect(key.uniform([2, 0]).data).toHaveLength(0);
  });

  it.each([
    ['a negative seed', () => RandomKey.fromSeed(-1), /seed is an integer from 0 to 2\^53 - 1, got -1/],
    ['a fractional seed', () => RandomKey.fromSeed(0.5), /got 0.5/],
    ['a negative step', () => key.fold(-1), /non-negative integer, got -1/],
    ['an empty range', () => key.integers([1], 3, 3), /whole low < high within int32, got \[3, 3\)/],
    ['a range beyond int32', () => key.integers([1], 2 ** 31, 2 ** 31 + 5), /within int32/],
    ['an inverted interval', () => key.uniform([1], 2, 1), /finite low < high, got \[2, 1\)/],
    ['an infinite interval', () => key.uniform([1], 0, Infinity), /finite low < high/],
  ])('refuses %s', (_, draw, message) => {
    expect(draw).toThrow(ArgumentError);
    expect(draw).toThrow(message);
  });
});
