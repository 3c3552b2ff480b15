/**
 * Every target for a moment, with a seed that stays the same: `npm run fuzz` goes on for as long as it is told, with
 * others. And that a fault is found: parsers that have one, on purpose.
 */
import { DataError } from '@meanflow/core';
import { checkSeeds, fuzz, fuzzFlips, makeInput, targets, type Seed, type Target } from '../src/index.js';

/** Enough that each mutation comes up, and little enough for every run of the tests. */
const options = { seed: 8, seconds: 1.5, most: 300 };

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
  it('reads its seeds, and reads or refuses what becomes of them', async () => {
    await checkSeeds(target);
    const { findings, tried } = await fuzz(target, options);
    expect(findings.map(({ from, iteration, problem }) => ({ from, iteration, problem }))).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  });

  if (target.refusesFlips === true) {
    it('refuses every bit that is flipped', async () => {
      const { findings, tried, refused } = await fuzzFlips(target, { ...options, most: 10_000 });
      expect(findings.map(({ problem }) => problem)).toEqual([]);
      expect(refused).toBe(tried);
    });
  }
});

describe('a fault', () => {
  const bytes = new TextEncoder().encode('{"a": 1, "b": [2, 3]}');
  const target = (read: Seed['read'], changes: Partial<Target> = {}): Target => ({
    name: 'made up',
    seeds: () => [{ name: 'seed', bytes, read }],
    ...changes,
  });
  const first = async (read: Seed['read'], changes?: Partial<Target>, most = 500) =>
    (await fuzz(target(read, changes), { seed: 1, seconds: 20, most })).findings.at(0);

  it('that throws an error of the language is found, and made again from its numbers', async () => {
    const read = (of: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(of));
    const found = await first(read);
    expect(found?.problem).toContain('an error that is not ours: SyntaxError');
    const again = await makeInput(target(read), found!.seed, found!.iteration);
    expect(again.bytes).toEqual(found!.bytes);
    expect(() => read(again.bytes)).toThrow();
  });

  it('that blames meanflow is found', async () => {
    const blames = (): never => {
      throw new DataError('This is a bug in meanflow.');
    };
    expect((await first(blames))?.problem).toContain('blames meanflow');
  });

  it('that takes memory as a field says is found', async () => {
    const kept: Uint8Array[] = [];
    const read = (of: Uint8Array): void => {
      if (of.length > bytes.length) kept.push(new Uint8Array(2 ** 26).fill(1));
    };
    expect((await first(read, { memory: 2 ** 25 }, 8))?.problem).toContain('the process grew by');
  });

  it('that takes long is found', async () => {
    const read = async (): Promise<void> => void (await new Promise((resolve) => setTimeout(resolve, 60)));
    expect((await first(read, { seconds: 0.02 }))?.problem).toContain('more than 0.02');
  });

  it('that takes a file with a wrong bit is found', async () => {
    const read = (of: Uint8Array): void => {
      if (of[3] !== bytes[3]) throw new DataError('damaged');
    };
    const { findings, refused } = await fuzzFlips(target(read), { seed: 1, seconds: 20, most: 2000 });
    expect(findings.length).toBeGreaterThan(0);
    expect(refused).toBeLessThan(100);
  });

  it('in a seed shows at once', async () => {
    const refuses = (): never => {
      throw new DataError('no');
    };
    await expect(checkSeeds(target(refuses))).rejects.toThrow('made up: the seed "seed" is refused: no');
  });
});
