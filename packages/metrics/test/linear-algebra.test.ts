/** Products of rows, factors and nuclear norms, against plain loops and the decompositions of ml-matrix. */
import { RandomKey } from '@meanflow/core';
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';
import { nuclearNorm } from '../src/nuclear-norm.js';
import { addProducts } from '../src/products.js';
import { semidefiniteFactor } from '../src/semidefinite-factor.js';

const numbers = (name: string, count: number): Float64Array =>
  Float64Array.from(RandomKey.fromSeed(0).fold(name).normal([count]).data);

/** `rank` rows of `dimension` numbers as F·Fᵀ, `[dimension, dimension]`. */
function gram(rows: Float64Array, rank: number, dimension: number): Float64Array {
  const found = new Float64Array(dimension ** 2);
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j < dimension; j++) {
      for (let t = 0; t < rank; t++)
        found[i * dimension + j] += rows[t * dimension + i] * rows[t * dimension + j];
    }
  }
  return found;
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
}

describe('addProducts', () => {
  it.each([
    [1, 1, 1],
    [4, 4, 3],
    [7, 9, 300],
    [70, 67, 5],
    [66, 66, 257],
  ])('adds A·Bᵀ of %i and %i rows of %i numbers, all or the lower triangle', (rows, columns, length) => {
    const [a, b] = [numbers('a', rows * length), numbers('b', columns * length)];
    for (const isLower of [false, true]) {
      for (const sign of [1, -1] as const) {
        const into = numbers('c', rows * columns);
        const expected = into.map((value, at) => {
          const [i, j] = [Math.floor(at / columns), at % columns];
          if (isLower && j > i) return value;
          let sum = 0;
          for (let t = 0; t < length; t++) sum += a[i * length + t] * b[j * length + t];
          return value + sign * sum;
        });
        addProducts(
          { data: into, rows, stride: columns },
          { data: a, rows, stride: length },
          { data: b, rows: columns, stride: length },
          length,
          { sign, isLower },
        );
        expect(largestDifference(into, expected)).toBeLessThan(1e-12 * length);
      }
    }
  });
});

describe('semidefiniteFactor', () => {
  it.each([
    [1, 1],
    [5, 5],
    [40, 40],
    [100, 100],
    [70, 33],
    [70, 32],
    [90, 3],
  ])('of dimension %i finds rank %i, and gives the matrix back', (dimension, rank) => {
    const matrix = gram(numbers('f', rank * dimension), rank, dimension);
    const given = matrix.slice();
    const found = semidefiniteFactor(matrix, dimension);
    expect(found.rank).toBe(rank);
    expect(largestDifference(gram(found.rows, rank, dimension), matrix)).toBeLessThan(1e-12 * dimension);
    expect(matrix).toEqual(given);
  });

  it('of zeros has rank 0, and noise of the input does not grow', () => {
    expect(semidefiniteFactor(new Float64Array(9), 3).rank).toBe(0);
    const [dimension, rank] = [60, 10];
    const exact = gram(numbers('f', rank * dimension), rank, dimension);
    // Symmetric rounding to float32 leaves negative eigenvalues of the size of the rounding.
    const rounded = Float64Array.from(Float32Array.from(exact));
    const found = semidefiniteFactor(rounded, dimension);
    expect(largestDifference(gram(found.rows, found.rank, dimension), exact)).toBeLessThan(1e-4);
  });
});

describe('nuclearNorm', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 1],
    [20, 20],
    [41, 17],
    [64, 63],
  ])('of %i by %i is the sum of the singular values', (rows, columns) => {
    const matrix = numbers('m', rows * columns);
    const { diagonal } = new SingularValueDecomposition(Matrix.from1DArray(rows, columns, matrix));
    const expected = diagonal.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(nuclearNorm(matrix, rows, columns) / expected - 1)).toBeLessThan(1e-13 * columns);
  });

  it('of matrices with zeros, equal columns, nothing, or numbers of very different size', () => {
    expect(nuclearNorm(new Float64Array(0), 0, 0)).toBe(0);
    expect(nuclearNorm(new Float64Array(6), 3, 2)).toBe(0);
    expect(nuclearNorm(Float64Array.of(3, 0, 0, 0, 0, -4), 3, 2)).toBeCloseTo(7, 14);
    expect(nuclearNorm(Float64Array.of(1, 1, 1, 1, 1, 1), 3, 2)).toBeCloseTo(Math.sqrt(6), 14);
    expect(nuclearNorm(Float64Array.of(1e200, 0, 0, 1e190), 2, 2) / 1e200).toBeCloseTo(1 + 1e-10, 14);
    expect(nuclearNorm(Float64Array.of(1, 0, 0, 1e-14), 2, 2) - 1).toBeCloseTo(1e-14, 15);
  });

  it('of a symmetric matrix is the sum of the sizes of its eigenvalues', () => {
    const side = 30;
    const half = Matrix.from1DArray(side, side, numbers('s', side ** 2));
    const matrix = Matrix.add(half, half.transpose());
    const { realEigenvalues } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
    const expected = realEigenvalues.reduce((sum, value) => sum + Math.abs(value), 0);
    expect(nuclearNorm(Float64Array.from(matrix.to1DArray()), side, side)).toBeCloseTo(expected, 10);
  });
});
