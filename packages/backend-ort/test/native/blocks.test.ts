import type { TensorType } from '@meanflow/core';
import { Blocks, type BlockMemory } from '../../src/native/blocks.js';

const type: TensorType = { dtype: 'float32', shape: [3] };

/** Blocks that lie nowhere, and what was released of them. */
function made() {
  const released: bigint[] = [];
  let next = 0n;
  const memory: BlockMemory = {
    allocate: (of) => ({ type: of, value: next++, read: () => new Float32Array(3) }),
    release: (value) => void released.push(value),
    close: () => undefined,
  };
  return { blocks: new Blocks(memory), released };
}

test('what is given back is taken again, as many as programs can fill', () => {
  const { blocks, released } = made();
  const end = blocks.expect([type, type]);
  const three = [blocks.take(type), blocks.take(type), blocks.take(type)];
  three.forEach((block) => blocks.give(block));
  expect([blocks.allocated, blocks.idleBytes, released]).toEqual([3, 24, [2n]]);
  expect(three).toContain(blocks.take(type));
  end();
  expect([blocks.idleBytes, released]).toEqual([0, [2n, 0n]]);
});
