/** The command's entry: runs it on the process's own arguments and streams. */
import { settleOrtTelemetry } from '@meanflow/core/backend';
import { outliveReaders } from '@meanflow/runs/processes';
import { run } from './program.js';
import { processIo } from './terminal/io.js';

// Here, in the main thread and before any library is loaded: a worker's environment does not reach it.
settleOrtTelemetry();
outliveReaders(process.stdout, process.stderr);
process.exitCode = await run(process.argv.slice(2), processIo);
