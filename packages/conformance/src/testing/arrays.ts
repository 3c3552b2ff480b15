/** Arrays for tests: of numbers that are written down, and normal ones. */
import { RandomKey, type HostArray, type Shape } from '@meanflow/core';

export { bool as bools, f32 as floats, i32 as ints } from '../cases/inputs.js';

const key = RandomKey.fromSeed(7);

/** Normal float32 numbers; equal arguments give equal numbers. */
export const normal = (shape: Shape, stream = 'x'): HostArray<'float32'> => key.fold(stream).normal(shape);
