/**
 * The functions that programs are written with. Each checks and completes its arguments (negative axes, numbers as
 * constants, defaults) and applies one primitive, or a few. All are pure and symbolic; all throw `ShapeError`,
 * `DTypeError` or `ArgumentError` at once, naming the op, the operands and the line that called them.
 */
export { constant, full, iota, type TensorLike } from './functions/sources.js';
export * from './functions/elementwise.js';
export * from './functions/reductions.js';
export * from './functions/shaping.js';
export * from './functions/contractions.js';
export { gather, oneHot, optimizationBarrier, scatterAdd, stopGradient } from './functions/indexing.js';
