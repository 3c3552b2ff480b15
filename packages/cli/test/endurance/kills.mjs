/**
 * Runs of the built command that are killed again and again at random moments, and gone on with: each must end with the very bytes of
 * one that was never stopped.
 *
 *     node packages/cli/test/endurance/kills.mjs [SIGKILL kills, 200] [SIGTERM kills, 50]      # after npx tsc -b
 *
 * Ends with status 1 at the first difference.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'meanflow-kills-'));
const config = join(folder, 'config.json');
writeFileSync(
  config,
  JSON.stringify({
    ...{
      data: '8-gaussians',
      method: 'meanflow',
      steps: 12_000,
      batch: 32,
      logEvery: 50,
      checkpointEvery: 300,
    },
    network: { kind: 'mlp', width: 16, depth: 2, embedding: { kind: 'fourier', frequencies: 2 } },
  }),
);

/** Kills of one run, at most. */
const PER_RUN = 10;

function start(run) {
  const isBegun = existsSync(join(run, 'config.json'));
  const args = isBegun ? ['train', '--resume', run] : ['train', '--config', config, '--out', run];
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  return { child, end: once(child, 'close').then(([status, signal]) => ({ status, signal, said })) };
}

/** What does not depend on the clock. */
function outcome(run) {
  const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      return { ...JSON.parse(line), samplesPerSecond: undefined };
    });
  const hash = createHash('sha256').update(readFileSync(join(run, 'final.safetensors')));
  return hash.update(JSON.stringify(metrics)).digest('hex');
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

async function finish(run) {
  const { status, signal, said } = await start(run).end;
  if (status !== 0) fail(`${run} did not go on: status ${status}, signal ${signal}\n${said}`);
  return outcome(run);
}

const begun = performance.now();
const whole = await finish(join(folder, 'whole'));
const seconds = (performance.now() - begun) / 1000;
process.stdout.write(`A whole run takes ${seconds.toFixed(1)} s: ${whole.slice(0, 16)}\n`);

for (const [signal, expected, wanted] of [
  ['SIGKILL', [null], Number(process.argv[2] ?? 200)],
  // Before it listens, the signal does what it does by default.
  ['SIGTERM', [143, null], Number(process.argv[3] ?? 50)],
]) {
  let kills = 0;
  for (let number = 1; kills < wanted; number++) {
    const run = join(folder, `${signal}-${number}`);
    for (let k = 0; k < PER_RUN && kills < wanted; k++) {
      const { child, end } = start(run);
      await Promise.race([sleep(1000 * 0.3 * seconds * Math.random()), end]);
      if (child.exitCode !== null || child.signalCode !== null) break;
      child.kill(signal);
      const { status, said } = await end;
      // It may have been done just then.
      if (status === 0) break;
      if (!expected.includes(status)) fail(`${signal} ended with status ${status}\n${said}`);
      kills++;
    }
    const found = await finish(run);
    process.stdout.write(`${signal}: ${kills} kills, run ${number}: ${found.slice(0, 16)}\n`);
    if (found !== whole) fail(`${run} differs from the whole run ${join(folder, 'whole')}`);
    rmSync(run, { recursive: true });
  }
}
rmSync(folder, { recursive: true });
