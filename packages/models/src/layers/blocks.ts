/** Blocks one after the other, each of which training may compute again in its backward pass. */
import { recomputable, type Tensor } from '@meanflow/core';

/** @param block of its operand and its parameters */
export function runBlocks<Params>(block: (x: Tensor, params: Params) => Tensor) {
  /** @param path of the blocks' parameters, by which they are known @param from the number of the first */
  return (x: Tensor, blocks: readonly Params[], path: string, from = 0): Tensor =>
    blocks.reduce(
      (y, params, i) => recomputable(`${path}/${from + i}`, (z: Tensor) => block(z, params))(y),
      x,
    );
}
