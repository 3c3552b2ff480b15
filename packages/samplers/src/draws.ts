/**
 * `@meanflow/samplers/draws`: the random numbers of training apart from what follows from them, by which draws are compared with
 * published code: raw numbers from a key, and times, intervals and guidance from raw numbers.
 */
export { drawRawTimes, timesFromRaw } from './time/distribution.js';
export { drawRawIntervals, intervalsFromRaw, type RawIntervals } from './time/intervals.js';
export { drawRawGuidance, guidanceFromRaw, type RawGuidance } from './time/guidance-draws.js';
