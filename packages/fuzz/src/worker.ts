/** A thread that fuzzes one target, so that one that hangs can be ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz, fuzzFlips, type FuzzReport } from './fuzz.js';
import { targets } from './targets/index.js';

/** What a thread is to do. */
export interface Work {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  readonly first: number;
  /** Where the number of the file that is being read is kept, for who watches. */
  readonly progress: SharedArrayBuffer;
}

const { target: name, seed, seconds, first, progress } = workerData as Work;
const target = targets.find((each) => each.name === name)!;
const iteration = new Int32Array(progress);
const share = target.refusesFlips === true ? seconds / 2 : seconds;
const reports: FuzzReport[] = [];
const onStart = (number: number): void => void Atomics.store(iteration, 0, number);
reports.push(await fuzz(target, { seed, seconds: share, first, onStart }));
Atomics.store(iteration, 0, -1);
if (target.refusesFlips === true) reports.push(await fuzzFlips(target, { seed, seconds: share }));
parentPort!.postMessage(reports);
