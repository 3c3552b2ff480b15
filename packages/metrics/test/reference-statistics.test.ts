import { readFileSync } from 'node:fs';
import { DataError, hostArray } from '@meanflow/core';
import { encodeNpz } from '@meanflow/formats';
import { decodeStatistics, encodeStatistics, frechetDistanceOfStatistics } from '../src/index.js';

const read = (file: string) => new Uint8Array(readFileSync(new URL(`data/${file}`, import.meta.url)));
const float64 = (values: number[] | number[][]) => hostArray(values, { dtype: 'float64' });

describe('decodeStatistics', () => {
  const readTtur = () => decodeStatistics(read('statistics-ttur.npz'), 'ttur');

  it('reads the published forms', async () => {
    const ttur = await readTtur();
    expect(ttur.mean.shape).toEqual([3]);
    expect(ttur.covariance.shape).toEqual([3, 3]);
    expect(await decodeStatistics(read('statistics-adm.npz'), 'adm')).toEqual(ttur);
    const jax = await decodeStatistics(read('statistics-jax.npz'), 'jax');
    expect([jax.mean.dtype, jax.covariance.dtype]).toEqual(['float64', 'float64']);
    expect(frechetDistanceOfStatistics(jax, ttur)).toBeLessThan(1e-6);
  });

  it('reads the spatial ones where they are, and says so where not', async () => {
    expect((await decodeStatistics(read('statistics-adm.npz'), 'adm', 'spatial')).mean.shape).toEqual([2]);
    await expect(decodeStatistics(read('statistics-ttur.npz'), 'ttur.npz', 'spatial')).rejects.toThrow(
      'ttur.npz: there is no array "mu_s", "sigma_s"; it holds mu, sigma.',
    );
  });

  it('comes back from encodeStatistics', async () => {
    const ttur = await readTtur();
    expect(await decodeStatistics(encodeStatistics(ttur), 'again')).toEqual(ttur);
  });

  it.each([
    ['of other sizes', [0, 0], [[1]], 'the mean is [2] and the covariance [1, 1]'],
    [
      'that is not finite',
      [0, NaN],
      [
        [1, 0],
        [0, 1],
      ],
      'values that are not finite',
    ],
    [
      'that is not symmetric',
      [0, 0],
      [
        [1, 0.5],
        [0.2, 1],
      ],
      'features 0 and 1 have 0.5 and 0.2',
    ],
    [
      'with a negative variance',
      [0, 0],
      [
        [1, 0],
        [0, -1],
      ],
      'feature 1 has the variance -1',
    ],
  ])('refuses a covariance %s', async (_, mu, sigma, message) => {
    const bytes = encodeNpz({ mu: float64(mu), sigma: float64(sigma) });
    await expect(decodeStatistics(bytes, 'bad.npz')).rejects.toThrow(message);
  });

  it('refuses damaged files', async () => {
    const bytes = read('statistics-ttur.npz');
    await expect(decodeStatistics(bytes.subarray(0, 300), 'cut.npz')).rejects.toThrow(DataError);
    await expect(decodeStatistics(new TextEncoder().encode('nothing'), 'text.npz')).rejects.toThrow(
      'no end record',
    );
    await expect(decodeStatistics(encodeNpz({ mu: float64([1]) }), 'half.npz')).rejects.toThrow(
      'no array "sigma"',
    );
  });
});
