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

test('a reserved block waits for who reserved it', () => {
  const { blocks } = made();
  blocks.expect([type]);
  const [lent, back] = [blocks.take(type), blocks.take(type)];
  for (const block of [lent, back]) blocks.reserve(block);
  blocks.give(back);
  expect(blocks.idleBytes).toBe(0);
  // The one is still somebody else's; the other is now the caller's, who gives it back as any.
  expect([blocks.keep(lent), blocks.keep(back)]).toEqual([false, true]);
  blocks.give(back);
  expect(blocks.take(type)).toBe(back);
  // Nobody has given it back, so that this ends the reservation and no more.
  blocks.unreserve(lent);
  expect(blocks.idleBytes).toBe(0);
  blocks.give(lent);
  expect(blocks.take(type)).toBe(lent);
});

test('a reserved block that came back meanwhile is idle when the reservation ends', () => {
  const { blocks } = made();
  blocks.expect([type]);
  const block = blocks.take(type);
  blocks.reserve(block);
  blocks.give(block);
  blocks.unreserve(block);
  expect([blocks.idleBytes, blocks.take(type)]).toEqual([12, block]);
});
