/**
 * `npm run bench`: this project and every peer that the machine has, interleaved in one run, and the report.
 *
 *     npm run bench -- --python PATH [--only w1,w2] [--against torch,jax] [--quick] [--json FILE] [--out FOLDER]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runInBrowser, type BrowserResult } from './browser/run-browser.js';
import { browserCases, cases } from './cases.js';
import { contestants } from './contestants.js';
import { inspect } from './driver/machine.js';
import { reference, runCase, type CaseResult } from './driver/run-case.js';
import { runScaling } from './driver/run-scaling.js';
import { htmlReport } from './report/html.js';
import { markdownReport } from './report/markdown.js';
import type { Results } from './report/results.js';

const { values: options } = parseArgs({
  options: {
    /** The interpreter with torch and jax. */
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
    /** Cases, by name, in place of all. */
    only: { type: 'string' },
    /** Contestants, by name, in place of all; this project is always among them. */
    against: { type: 'string' },
    /** Few and short turns: whether everything runs and agrees, not how fast it is. */
    quick: { type: 'boolean', default: false },
    threads: { type: 'string' },
    /** Where to write the figures. */
    json: { type: 'string' },
    /** Where to write the report. */
    out: { type: 'string', default: 'reports/benchmarks' },
  },
});
const log = (line: string): void => console.error(line);
const effort = options.quick ? { rounds: 2, turn: 200 } : { rounds: 7, turn: 1500 };
const chosenCases = chosen('case', options.only, [
  ...cases.map(({ name }) => name),
  ...browserCases.map(({ name }) => `browser_${name}`),
  'scaling',
]);
const rivals = chosen('contestant', options.against, Object.keys(contestants));

/** Names that were asked for, all by default. */
function chosen(what: string, asked: string | undefined, known: readonly string[]): readonly string[] {
  const names = asked?.split(',') ?? known;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return names;
  console.error(`There is no ${what} ${unknown.join(', ')}. There are ${known.join(', ')}.`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'meanflow-bench-'));
try {
  const machine = inspect(
    options.python,
    scratch,
    options.threads === undefined ? undefined : Number(options.threads),
  );
  const found: CaseResult[] = [];
  for (const each of cases.filter(({ name }) => chosenCases.includes(name))) {
    const taking = each.contestants.filter((name) => name === 'meanflow' || rivals.includes(name));
    found.push(await runCase({ ...each, contestants: taking }, machine, effort, log));
  }
  const inBrowser: BrowserResult[] = [];
  for (const each of browserCases.filter(({ name }) => chosenCases.includes(`browser_${name}`))) {
    const benchmark = cases.find(({ name }) => name === each.name)!;
    inBrowser.push(await runInBrowser(each, await reference(benchmark, machine), effort, log));
  }
  const scaling = chosenCases.includes('scaling') ? await runScaling(machine, effort, log) : undefined;
  const { processor, threads, memoryMb, system, versions } = machine;
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    isQuick: options.quick,
    machine: { processor, threads, memoryMb, system, versions },
    cases: found,
    browser: inBrowser,
    scaling,
  };
  const text = markdownReport(results);
  console.log(text);
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, 'README.md'), text);
  writeFileSync(join(options.out, 'index.html'), htmlReport(results));
  writeFileSync(options.json ?? join(options.out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  log(`Written to ${resolve(options.out)}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
