/** `@meanflow/parity/node`: parity with published implementations, from directories of files. */
export { parityCommand, type ParityCommandOutcome } from './vectors/command.js';
export { runParity } from './vectors/directory.js';
export type { ParityResult, TensorResult, ParityOutcome } from './vectors/parity-case.js';
export { parityText } from './vectors/text.js';
