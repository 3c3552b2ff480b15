/** `@meanflow/fuzz`: damaged and made-up files for every parser. */
export {
  checkSeeds,
  fuzz,
  fuzzFlips,
  makeInput,
  type Finding,
  type FuzzOptions,
  type FuzzReport,
} from './fuzz.js';
export type { Seed, Target } from './target.js';
export { targets } from './targets/index.js';
