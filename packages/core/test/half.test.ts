/** Half precision, exhaustively: every F16, and the middle between every two neighbours. */
import { bfloat16ToNumber, halfToNumber, LARGEST_HALF, numberToHalf } from '../src/backend-door.js';

const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits);

test('every F16 becomes a number and the same F16 again', () => {
  const wrong = finite.filter(
    (bits) =>
      numberToHalf(halfToNumber(bits)) !== bits || numberToHalf(-halfToNumber(bits)) !== (bits | 0x8000),
  );
  expect(wrong).toEqual([]);
  expect(halfToNumber(0x7bff)).toBe(LARGEST_HALF);
  expect(halfToNumber(0x3c00)).toBe(1);
  expect(halfToNumber(1)).toBe(2 ** -24);
  expect([numberToHalf(Infinity), numberToHalf(-Infinity), numberToHalf(NaN)]).toEqual([
    0x7c00, 0xfc00, 0x7e00,
  ]);
  expect([halfToNumber(0x7c00), halfToNumber(0xfc00), halfToNumber(0x7e01)]).toEqual([
    Infinity,
    -Infinity,
    NaN,
  ]);
});

test('between two F16 the nearer one is taken, and of equally near ones the even one', () => {
  // One float32 to either side of the middle decides.
  const step = new Uint32Array(1);
  const value = new Float32Array(step.buffer);
  const beside = (x: number, by: number): number => {
    value[0] = x;
    step[0] += by;
    return value[0];
  };
  const wrong = finite.slice(0, -1).filter((bits) => {
    const middle = (halfToNumber(bits) + halfToNumber(bits + 1)) / 2;
    return (
      numberToHalf(middle) !== bits + (bits & 1) ||
      numberToHalf(beside(middle, -1)) !== bits ||
      numberToHalf(beside(middle, 1)) !== bits + 1
    );
  });
  expect(wrong).toEqual([]);
});

test('what is beyond the largest F16 by half a step or more becomes infinite', () => {
  expect(numberToHalf(65519.99609375)).toBe(0x7bff);
  expect(numberToHalf(65520)).toBe(0x7c00);
  expect(numberToHalf(-1e6)).toBe(0xfc00);
});

test('BF16 is the upper half of a float32', () => {
  expect([0x3f80, 0xc000, 0x7f80, 0x0001].map(bfloat16ToNumber)).toEqual([1, -2, Infinity, 2 ** -133]);
});
