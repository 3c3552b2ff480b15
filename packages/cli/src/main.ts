/** The command's entry: runs it on the process's own arguments and streams. */
import { run } from './program.js';
import { processIo } from './terminal/io.js';

process.exitCode = await run(process.argv.slice(2), processIo);
