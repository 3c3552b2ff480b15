/** Replaces a file and dies on the way: `atomic-worker.ts <path> <bytes written before it kills itself>`. */
import { writeFileAtomically } from '../../src/node.js';

const [path, before] = process.argv.slice(2);

function* content(): Generator<string> {
  yield 'new'.repeat(Number(before));
  process.kill(process.pid, 'SIGKILL');
}

await writeFileAtomically(path, content());
