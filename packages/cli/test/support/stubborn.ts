/** Work that goes on although it is asked to stop: says when it began, and when it was asked. */
import { withInterrupt } from '../../src/terminal/interrupt.js';

await withInterrupt(async (signal) => {
  signal.addEventListener('abort', () => process.stdout.write('asked\n'));
  process.stdout.write('begun\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
