/** Workers as the driver meets them: those that keep to the protocol, those that end early, and those that compute something else. */
import { differences, disagreements } from '../src/driver/agreement.js';
import { median } from '../src/driver/statistics.js';
import { startWorker } from '../src/driver/worker.js';

const worker = (program: string) => ({ program: process.execPath, args: ['-e', program] });

describe('a worker', () => {
  it('is compared, timed and ended', async () => {
    const started = await startWorker(
      worker(`
        console.log('imported'); console.log('first'); console.log('ready {"losses":[1,2]}');
        require('readline').createInterface({ input: process.stdin })
          .on('line', (n) => console.log(JSON.stringify(Array(Number(n)).fill([1.5, 2]))));`),
    );
    expect(started.compared).toEqual({ losses: [1, 2] });
    expect(started.importSeconds).toBeGreaterThan(0);
    expect(started.firstStepSeconds).toBeGreaterThanOrEqual(started.importSeconds);
    expect(await started.time(3)).toEqual([[1.5, 2], [1.5, 2], [1.5, 2]]); // prettier-ignore
    if (process.platform === 'linux') expect(await started.end()).toBeGreaterThan(10);
    else await started.end();
  });

  it('that ends early says why', async () => {
    await expect(startWorker(worker('throw new TypeError("no such kernel")'))).rejects.toThrow(
      /no such kernel/,
    );
    await expect(startWorker({ program: '/no/such/program', args: [] })).rejects.toThrow(/ENOENT/);
  });
});

describe('agreement', () => {
  const reference = { losses: [0.5], gradientNorm: 10 };
  it('is relative, of what both have', () => {
    expect(differences({ losses: [0.5, 0.4], gradientNorm: 11 }, reference)).toEqual({
      losses: 0,
      gradientNorm: 0.1,
    });
    expect(differences({ norm: 2, probe: 1 }, { norm: 4, probe: 2 })).toEqual({ norm: 0.5, probe: 0.25 });
  });
  it('is refused where a number differs, or is none', () => {
    expect(disagreements(differences({ losses: [0.5], gradientNorm: 10 }, reference))).toEqual([]);
    expect(disagreements(differences({ losses: [0.5001], gradientNorm: 10 }, reference))).toEqual(['losses']);
    expect(disagreements(differences({ losses: [0.5], gradientNorm: NaN }, reference))).toEqual([
      'gradientNorm',
    ]);
  });
});

test('the median is the middle, or the mean of both', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
