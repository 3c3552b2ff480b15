/** The `meanflow` command as a function. */
export { run } from './program.js';
export type { Io } from './terminal/io.js';
