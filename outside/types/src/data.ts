/** A data set of one's own: points of a circle's arc, each told by how far it is turned. */
import { HostArray, type RandomKey } from '@meanflow/core';
import type { Batch, Dataset } from '@meanflow/data';

export const arc: Dataset = {
  name: 'arc',
  featureShape: [2],
  imageShape: undefined,
  columns: ['x', 'y'],
  classCount: undefined,
  classNames: undefined,
  sizes: undefined,
  conditions: {
    turn: { kind: 'vector', shape: [1], normalisation: { kind: 'none', mean: [0], scale: [1] } },
  },
  normalisation: { kind: 'none', mean: [0, 0], scale: [1, 1] },
  support: undefined,
  batch: (key, step, size) => points(key.fold('batch').fold(step), size),
  reference: (split, key, count) => points(key.fold(split), count),
};

function points(key: RandomKey, rows: number): Batch {
  const turn = key.fold('turn').uniform([rows, 1], 0, Math.PI);
  const data = new Float32Array(2 * rows);
  turn.data.forEach((angle, row) => data.set([Math.cos(angle), Math.sin(angle)], 2 * row));
  return { x: new HostArray('float32', [rows, 2], data), label: undefined, conditions: { turn } };
}
