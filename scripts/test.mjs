/**
 * `npm test`: lint, format, types, what the packages' doors promise and unit tests of every package, through Nx, and then the tests from outside the
 * workspace. The last line of its output is `N passed, N failed`, counted over all tests; a check that fails counts as one failure.
 *
 *     npm test                    everything
 *     npm test -- core models     only these packages
 *     npm test -- outside         only what is outside, all of it (`node outside/run.mjs NAME` runs a part)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const checks = ['lint', 'format', 'typecheck', 'doors', 'knip'];

const packages = [
  ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name)),
  join(root, 'benchmarks'),
  join(root, 'examples'),
  join(root, 'scripts'),
].filter((folder) => existsSync(join(folder, 'package.json')));
/** What Nx calls the project in a folder: its package's name (`cli` is the package `meanflow`, the others `@meanflow/<folder>`). */
const projectOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name;
const asked = process.argv.slice(2);
const only = asked
  .filter((name) => name !== 'outside')
  .map((name) => {
    const folder = packages.find((folder) => basename(folder) === name);
    if (folder !== undefined) return projectOf(folder);
    const names = packages.map((folder) => basename(folder)).join(', ');
    console.error(`There is no package '${name}'. There are ${names}, and outside.`);
    process.exit(2);
  });
const runsPackages = asked.length === 0 || only.length > 0;
const runsOutside = asked.length === 0 || asked.includes('outside');

const reports = [
  ...packages.map((folder) => join(folder, 'reports', 'jest.json')),
  join(root, 'outside', 'reports', 'counts.json'),
];

/** Runs targets through Nx with its output passed through; true when all of them succeeded. */
function runMany(targets) {
  const args = ['run-many', '-t', ...targets, '--parallel=2', '--outputStyle=static'];
  if (only.length > 0) args.push('-p', only.join(','));
  const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' };
  // Nx would have its children print colours into a file.
  if (!process.stdout.isTTY) env.FORCE_COLOR ??= '0';
  return (
    spawnSync(process.execPath, [nx, ...args], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
      .status === 0
  );
}

/** Runs what is outside; all of it where it was named. */
function runOutside() {
  const args = [join(root, 'outside', 'run.mjs'), ...(asked.length > 0 ? ['--all'] : [])];
  return spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

for (const report of reports) rmSync(report, { force: true });

const checksPassed = !runsPackages || runMany(checks);
const packagesPassed = !runsPackages || runMany(['test']);
const outsidePassed = !runsOutside || runOutside();
const testsPassed = packagesPassed && outsidePassed;

const total = { passed: 0, failed: 0, skipped: 0 };
for (const report of reports.filter((report) => existsSync(report))) {
  const counts = JSON.parse(readFileSync(report, 'utf8'));
  for (const key of Object.keys(total)) total[key] += counts[key];
}
// A test run that died before it could report is still a failure.
if (!testsPassed && total.failed === 0) total.failed += 1;
if (!checksPassed) {
  total.failed += 1;
  console.log(`\nA check failed (${checks.join(', ')}): see above.`);
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;
