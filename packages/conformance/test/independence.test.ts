/** The instruments that other packages look for dependence with: each finds what it is for, and nothing else. */
import { RandomKey } from '@meanflow/core';
import { dependentPairs, repeatedDraws } from '../src/testing.js';

const COUNT = 4000;
const key = RandomKey.fromSeed(3);
const uniform = (stream: string) => key.fold(stream).uniform([COUNT]).data;

test('independent streams are', () => {
  const coins = uniform('d').map((u) => Number(u < 0.1));
  const normal = key.fold('c').normal([COUNT]).data;
  expect(dependentPairs({ a: uniform('a'), b: uniform('b'), normal, coins })).toEqual([]);
});

test('one stream of uniform numbers, of coins, of normal ones', () => {
  const one = uniform('a');
  const normal = key.fold('a').normal([COUNT]).data;
  const coins = one.map((u) => Number(u < 0.1));
  expect(dependentPairs({ one, coins, normal, other: uniform('b') })).toEqual([
    'one and coins',
    'one and normal',
    'coins and normal',
  ]);
});

test('what is weakly dependent: a tenth of the values are the same', () => {
  const [a, b] = [uniform('a'), uniform('b')];
  expect(dependentPairs({ a, b: b.map((x, i) => (i % 10 === 0 ? a[i]! : x)) })).toEqual(['a and b']);
});

test('what depends by its size alone', () => {
  const a = key.fold('a').normal([COUNT]).data;
  const signs = uniform('signs');
  expect(dependentPairs({ a, b: a.map((x, i) => (signs[i]! < 0.5 ? -x : x)) })).toEqual(['a and b']);
});

test('a constant is listed, and streams of different or few values are refused', () => {
  expect(dependentPairs({ a: uniform('a'), b: new Float32Array(COUNT) })).toEqual(['b is constant']);
  expect(() => dependentPairs({ a: uniform('a'), b: [1, 2] })).toThrow('of one length');
  expect(() => dependentPairs({ a: [1, 2], b: [1, 2] })).toThrow('at least 100');
});

test('draws from one key are counted, whatever is drawn', () => {
  const once = () => [key.uniform([3]), key.fold('a').normal([5]), key.fold(1).permutation(7)];
  expect(repeatedDraws(once)).toEqual({});
  const twice = repeatedDraws(() => [...once(), key.fold('a').integers([2], 0, 9)]);
  expect(twice).toEqual({ [key.fold('a').bits(4).join(' ')]: 2 });
  expect(() => repeatedDraws(() => key.fold('a'))).toThrow('Nothing was drawn');
  expect(repeatedDraws(once)).toEqual({});
});
