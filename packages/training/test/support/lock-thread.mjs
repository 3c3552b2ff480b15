/** A thread that takes a lock with the library itself, says so, and holds it until it is ended. */
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';
import timers from 'node:timers';
import { parentPort, workerData } from 'node:worker_threads';

const { tryLock } = createRequire(import.meta.url)('fs-native-extensions');
const fd = openSync(workerData.path, 'a+');
parentPort.postMessage(tryLock(fd, 1 << 20, 1));
timers.setInterval(() => {}, 1000);
