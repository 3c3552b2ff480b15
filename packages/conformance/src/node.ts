/** `@meanflow/conformance/node`: parity with published implementations, from directories of files. */
export { parityCommand, type ParityCommandOutcome } from './parity/command.js';
export { runParity } from './parity/directory.js';
export type { ParityResult, TensorResult } from './parity/parity-case.js';
export { parityText } from './parity/text.js';
