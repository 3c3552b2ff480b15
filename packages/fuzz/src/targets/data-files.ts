/** Files of data: tables, IDX, CIFAR, statistics of features. */
import { cifarImages, idxImages, parseTable } from '@meanflow/data';
import { encodeStatistics, decodeStatistics } from '@meanflow/metrics';
import { hostArray } from '@meanflow/core';
import { gzipSync } from 'fflate';
import type { Seed, Target } from '../target.js';

const text = (of: string): Uint8Array => new TextEncoder().encode(of);

export const csv: Target = {
  name: 'csv',
  words: [
    ',',
    ';',
    '\t',
    '""',
    '"a\nb"',
    'NaN',
    '1,5',
    '1.234,5',
    '#',
    'x,y,class',
    '\r',
    '-inf',
    '2024-01-01',
  ],
  seeds: (): Seed[] => {
    const seed = (name: string, content: string, label?: string): Seed => ({
      name,
      bytes: text(content),
      read: (bytes) =>
        parseTable(new TextDecoder().decode(bytes), {
          file: 'seed.csv',
          ...(label === undefined ? {} : { label }),
        }),
    });
    const rows = (of: (i: number) => string): string => Array.from({ length: 8 }, (_, i) => of(i)).join('\n');
    return [
      seed('plain', `x,y\n${rows((i) => `${i / 7},${-i * i}`)}`),
      seed('with classes', `x,y,class\n${rows((i) => `${i / 7},${i},${'ab'[i % 2]}`)}`, 'class'),
      seed('decimal commas', `x;y\n${rows((i) => `${i},5;${i * i},25`)}`),
      seed('index and comments', `# made up\n,x,y\n${rows((i) => `${i},${i / 3},${1 - i}`)}`),
      seed('quoted', `"x","y ""z"""\r\n${rows((i) => `"${i / 3}","${i}"`)}\r\n`),
      seed(
        'spaces',
        rows((i) => `${i / 3} ${i * i}`),
      ),
    ];
  },
};

export const idx: Target = {
  name: 'idx',
  seeds: (): Seed[] => {
    const header = (...shape: number[]): number[] => [
      0,
      0,
      8,
      shape.length,
      ...shape.flatMap((n) => [0, 0, 0, n]),
    ];
    const images = Uint8Array.from([...header(3, 4, 4), ...Array.from({ length: 48 }, (_, i) => i)]);
    const labels = Uint8Array.from([...header(3), 0, 1, 1]);
    const named = (bytes: Uint8Array) => ({ file: 'seed-idx', bytes });
    return [
      { name: 'images', bytes: images, read: (bytes) => idxImages(named(bytes), named(labels)) },
      { name: 'labels', bytes: labels, read: (bytes) => idxImages(named(images), named(bytes)) },
      {
        name: 'images, gzip',
        bytes: gzipSync(images, { mtime: 0 }),
        read: (bytes) => idxImages(named(bytes), undefined),
      },
    ];
  },
};

export const cifar: Target = {
  name: 'cifar',
  seeds: (): Seed[] =>
    (['cifar-10', 'cifar-100-fine'] as const).map((labels) => {
      const labelBytes = labels === 'cifar-10' ? 1 : 2;
      const bytes = Uint8Array.from({ length: 2 * (labelBytes + 3072) }, (_, i) => i % 7);
      return {
        name: labels,
        bytes,
        read: (found) => cifarImages([{ file: 'seed.bin', bytes: found }], labels),
      };
    }),
};

export const statistics: Target = {
  name: 'statistics of features',
  words: ['mu.npy', 'sigma.npy', 'ref_mu.npy'],
  seeds: (): Seed[] => {
    const dtype = 'float64' as const;
    const mean = hostArray([1, 2], { dtype });
    const covariance = hostArray(
      [
        [1, 0],
        [0, 1],
      ],
      { dtype },
    );
    return [
      {
        name: 'statistics',
        bytes: encodeStatistics({ mean, covariance }),
        read: (bytes) => decodeStatistics(bytes, 'seed.npz'),
      },
    ];
  },
};
