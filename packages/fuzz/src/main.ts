/**
 * `npm run fuzz [-- targets…] [--seconds n] [--seed s]`: each target for so many seconds, in a thread of its own. What is
 * found is kept in `findings/`, as the file and what is needed to make it again.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Command, InvalidArgumentError } from 'commander';
import { makeInput, type Finding, type FuzzReport } from './fuzz.js';
import type { Target } from './target.js';
import { targets } from './targets/index.js';
import type { Work } from './worker.js';

const FOLDER = fileURLToPath(new URL('../findings', import.meta.url));
/** Seconds without another file after which a thread is taken to hang. */
const PATIENCE = 30;

const command = new Command('fuzz')
  .description('Read damaged and made-up files with every parser.')
  .argument('[targets...]', `of ${targets.map(({ name }) => name).join(', ')}; all by default`)
  .option('--seconds <n>', 'for each target', positive, 60)
  .option('--seed <n>', 'decides every file; by default another one each time', positive)
  .parse();

const { seconds, seed = 1 + Math.floor(Math.random() * 1e9) } = command.opts<{
  readonly seconds: number;
  readonly seed?: number;
}>();
const unknown = command.args.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) command.error(`There is no target "${unknown}".`);
const chosen = targets.filter(({ name }) => command.args.length === 0 || command.args.includes(name));

console.log(`seed ${seed}, ${seconds} s for each of ${chosen.length} targets`);
let found = 0;
for (const target of chosen) {
  for (const report of await fuzzInThread(target)) {
    found += report.findings.length;
    console.log(reportText(report));
    report.findings.forEach(keep);
  }
}
process.exitCode = found > 0 ? 1 : 0;

/** Fuzzes a target; a file on which it hangs is a finding, after which it goes on with the next. */
async function fuzzInThread(target: Target): Promise<readonly FuzzReport[]> {
  const reports: FuzzReport[] = [];
  const end = performance.now() + 1000 * seconds;
  for (let first = 0, left = seconds; left > 0.5; left = (end - performance.now()) / 1000) {
    const outcome = await runThread({ target: target.name, seed, seconds: left, first });
    if (typeof outcome !== 'number') return [...reports, ...outcome];
    const { seed: from, bytes } = await makeInput(target, seed, outcome);
    const problem = `no answer within ${PATIENCE} s, or the thread ended`;
    const finding = { target: target.name, seed, iteration: outcome, from: from.name, problem, bytes };
    reports.push({ target: target.name, tried: outcome - first + 1, refused: 0, findings: [finding] });
    first = outcome + 1;
  }
  return reports;
}

/** The reports of a thread, or the number of the file on which it hung or died. */
function runThread(work: Omit<Work, 'progress'>): Promise<readonly FuzzReport[] | number> {
  const progress = new SharedArrayBuffer(4);
  const iteration = new Int32Array(progress);
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { ...work, progress } });
  return new Promise((resolve) => {
    let seen = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(iteration, 0);
      if (now >= 0 && now === seen) end(now);
      seen = now;
    }, 1000 * PATIENCE);
    const end = (outcome: readonly FuzzReport[] | number): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve(outcome);
    };
    worker.on('message', (reports: readonly FuzzReport[]) => end(reports));
    worker.on('error', (error) => {
      console.error(error);
      end(Math.max(0, Atomics.load(iteration, 0)));
    });
  });
}

function reportText({ target, tried, refused, findings }: FuzzReport): string {
  const share = ((100 * refused) / Math.max(1, tried)).toFixed(2);
  const lines = findings.map(({ from, iteration, problem }) => `  ${from}, file ${iteration}: ${problem}`);
  return [`${target}: ${tried} files, ${share} % refused, ${findings.length} findings`, ...lines].join('\n');
}

/** Writes a finding down. */
function keep({ target, seed: of, iteration, from, problem, bytes }: Finding): void {
  mkdirSync(FOLDER, { recursive: true });
  const name = join(FOLDER, `${target.replace(/[^a-z0-9]+/gi, '-')}-${of}-${iteration}`);
  writeFileSync(`${name}.bin`, bytes);
  writeFileSync(`${name}.txt`, `${target}, seed ${of}, file ${iteration}, made of ${from}\n${problem}\n`);
}

function positive(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It is a whole number from 1.');
  return number;
}
