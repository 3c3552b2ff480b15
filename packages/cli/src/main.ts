/** The command's entry: runs it on the process's own arguments and streams. */
import { run } from './program.js';
import { outliveReaders, processIo } from './terminal/io.js';

outliveReaders(process.stdout, process.stderr);
process.exitCode = await run(process.argv.slice(2), processIo);
