/** Takes a lock, says so, and holds it until it is killed: `lock-worker.ts <path>`. */
import { acquireLock } from '../../src/node/lock.js';

await acquireLock(process.argv[2], 'It');
process.stdout.write('held\n');
setInterval(() => {}, 1000);
