import { HostArray, RandomKey } from '@meanflow/core';
import { metric, metrics, type Evaluation, type MetricDefinition } from '../src/index.js';

const points = new HostArray('float32', [2, 1], Float32Array.of(1, 3));
const evaluation: Evaluation = { samples: points, reference: points };
const key = RandomKey.fromSeed(0);

test('a metric says its name, which values are good, and its value; the rest has defaults', () => {
  const first = metric({ name: 'first', better: 'lower', value: ({ samples }) => samples.data[0]! });
  expect(first).toMatchObject({
    title: 'first',
    unit: '',
    description: '',
    reads: [],
    comparesWithTraining: false,
  });
  expect(first.appliesTo(evaluation)).toBe(true);
  expect(first.evaluate(evaluation, key)).toBe(1);
});

test('it applies where what it reads is there', () => {
  const seen = metric({
    name: 'seen',
    better: 'one',
    reads: ['training'],
    value: ({ training }) => training.size,
  });
  expect(seen.appliesTo(evaluation)).toBe(false);
  expect(() => seen.evaluate(evaluation, key)).toThrow('The metric "seen" needs training.');
  expect(seen.evaluate({ ...evaluation, training: points }, key)).toBe(2);
});

test.each([
  [{ better: 'more' }, 'The metric "a": better is one of "lower", "higher", "one"; got "more".'],
  [{ reads: ['labels'] }, 'The metric "a": reads is one of "samples", "sampleLabels"'],
  [{ value: undefined }, 'The metric "a": value is a function, got undefined.'],
  [{ read: [] }, 'The metric "a" has no option "read"'],
])('%j is wrong', (changes, message) => {
  const good = { name: 'a', better: 'lower', value: () => 0 };
  expect(() => metric({ ...good, ...changes } as MetricDefinition)).toThrow(message);
});

test('a metric is registered as it is written down, or as it is', () => {
  const written = { name: 'written', better: 'lower', value: () => 7 } as const;
  expect(metrics.check(written).evaluate(evaluation, key)).toBe(7);
  const made = metric({ ...written, name: 'made' });
  expect(metrics.check(made)).toBe(made);
  expect(() => metrics.check({ ...made, better: 'more' } as unknown as MetricDefinition)).toThrow(
    'The metric "made": better is one of "lower", "higher", "one"; got "more".',
  );
});
