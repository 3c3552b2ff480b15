/** The numbers behind what is done to files: others at every place of a stream, however long, and in every iteration. */
import { Random } from '../src/random.js';

/** More than are drawn at once. */
const COUNT = 5000;
const numbers = (iteration: number) => {
  const random = new Random(1, 'target', iteration);
  return Array.from({ length: COUNT }, () => random.below(2 ** 32));
};

test('no number comes again, in a stream or in the next one', () => {
  const all = [...numbers(0), ...numbers(1)];
  // Of 10,000 words of 32 bits a pair is equal once in 86 times, and three pairs hardly ever.
  expect(new Set(all).size).toBeGreaterThan(all.length - 3);
  expect(numbers(0)).toEqual(all.slice(0, COUNT));
});
