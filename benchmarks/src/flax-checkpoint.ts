/**
 * A checkpoint as the published code of improved MeanFlow leaves it, with random weights: flax's serialization (msgpack)
 * of `{ema_params: {net: …}}` under the published names, in pieces, so that no more than one tensor is in memory.
 * Networks of any published size can be imported from it where the published weights cannot be had.
 */
import { RandomKey, sizeOf, type Shape } from '@meanflow/core';
import type { NetworkConfig } from '@meanflow/models';
import { publishedParameters } from '@meanflow/models/published';

/** Nested maps by key, with shapes for arrays. */
type Tree = Map<string, Tree | Shape>;

/** Standard deviation of the weights. */
const DEVIATION = 0.02;

/** @param seed of the weights, which are normal with a deviation of 0.02 */
export function* flaxCheckpoint(network: NetworkConfig, seed = 0): Generator<Uint8Array> {
  const root: Tree = new Map();
  for (const { name, shape } of publishedParameters(network, 'jax')) {
    const path = ['ema_params', ...name.split('/')];
    const last = path.pop()!;
    let tree = root;
    for (const key of path) {
      if (!tree.has(key)) tree.set(key, new Map());
      tree = tree.get(key) as Tree;
    }
    tree.set(last, shape);
  }
  const key = RandomKey.fromSeed(seed);
  let count = 0;
  function* write(tree: Tree): Generator<Uint8Array> {
    yield header(tree.size, 0x80, 0xde);
    for (const [name, child] of tree) {
      yield text(name);
      if (child instanceof Map) yield* write(child);
      else yield* array(child, key.fold(count++));
    }
  }
  yield* write(root);
}

/** Extension 1: (shape, dtype, bytes), msgpack themselves. */
function* array(shape: Shape, key: RandomKey): Generator<Uint8Array> {
  const { data } = key.normal([sizeOf(shape)]);
  for (let i = 0; i < data.length; i++) data[i]! *= DEVIATION;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const sizes = shape.map((size) => Uint8Array.of(0xce, ...big(size, 4)));
  const start = [Uint8Array.of(0x93), header(shape.length, 0x90, 0xdc), ...sizes, text('float32')];
  const inner = Buffer.concat([...start, Uint8Array.of(0xc6, ...big(bytes.length, 4))]);
  yield Uint8Array.of(0xc9, ...big(inner.length + bytes.length, 4), 1);
  yield inner;
  yield bytes;
}

/** Of a map or a list: up to 15 entries in a byte, otherwise two bytes after a code. */
function header(count: number, fixed: number, code: number): Uint8Array {
  return count < 16 ? Uint8Array.of(fixed | count) : Uint8Array.of(code, ...big(count, 2));
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([
    bytes.length < 32 ? Uint8Array.of(0xa0 | bytes.length) : Uint8Array.of(0xd9, bytes.length),
    bytes,
  ]);
}

function big(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) % 256);
}
