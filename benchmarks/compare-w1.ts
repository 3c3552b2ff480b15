/**
 * Times the workload `w1` on meanflow and on whichever peers this machine has, interleaved in one run, after checking
 * that all of them compute the same numbers. Prints medians and ratios; with `--json FILE` also writes them.
 *
 *     npm run benchmark                   (PYTHON=/path/to/python names an interpreter with torch and jax)
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, startPeer, type Peer } from './peer.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    steps: { type: 'string', default: '20' },
    json: { type: 'string' },
  },
});
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const script = here('../peers/w1.py');
const python = process.env.PYTHON ?? 'python3';

/** Largest relative difference between a peer's first losses and ours that float32 explains; likewise for the probe. */
const LOSS_TOLERANCE = 2e-6;
const PROBE_TOLERANCE = 5e-4;

interface First {
  readonly losses: readonly number[];
  readonly probe: number;
}

interface Worker {
  readonly peer: Peer<First>;
  readonly wall: number[];
  readonly cpu: number[];
}

async function start(name: string, command: string, args: readonly string[]): Promise<Worker | undefined> {
  const peer = await startPeer<First>(name, command, args);
  return peer && { peer, wall: [], cpu: [] };
}

async function round({ peer, wall, cpu }: Worker, steps: number): Promise<void> {
  for (const [wallTime, cpuTime] of (await peer.ask(`${steps}`)) as [number, number][]) {
    wall.push(wallTime);
    cpu.push(cpuTime);
  }
}

function disagreement(oursAt: Worker, peerAt: Worker): { losses: number; probe: number } {
  const [ours, peer] = [oursAt.peer.first, peerAt.peer.first];
  const relative = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);
  const losses = Math.max(...ours.losses.map((loss, i) => relative(peer.losses[i], loss)));
  return { losses, probe: relative(peer.probe, ours.probe) };
}

const folder = mkdtempSync(join(tmpdir(), 'meanflow-w1-'));
try {
  const file = join(folder, 'w1.safetensors');
  const made = spawnSync(python, [script, 'init', file], { encoding: 'utf8' });
  if (made.status !== 0)
    throw new Error(`${python} could not write the workload; it needs numpy.\n${made.stderr}`);
  const started = [await start('meanflow ort:cpu', process.execPath, [here('./w1.js'), file])];
  for (const kind of ['torch', 'torch-compile', 'jax'])
    started.push(await start(kind, python, [script, kind, file]));
  const workers = started.filter((worker) => worker !== undefined);
  const [ours, ...peers] = workers;
  for (let i = 0; i < Number(options.rounds); i++) {
    for (const worker of workers) await round(worker, Number(options.steps));
  }
  workers.forEach((worker) => worker.peer.end());

  const rows = workers.map((worker) => ({
    name: worker.peer.name,
    wallMedian: median(worker.wall),
    wallMinimum: Math.min(...worker.wall),
    cpuMedian: median(worker.cpu),
    timesOurs: median(worker.wall) / median(ours.wall),
    ...(worker === ours ? {} : { disagreement: disagreement(ours, worker) }),
  }));
  console.log(`\nw1, one train step, ms (${cpus().length} cores, ${cpus()[0].model})`);
  for (const row of rows) {
    const figures = [row.wallMedian, row.wallMinimum, row.cpuMedian]
      .map((ms) => ms.toFixed(2).padStart(8))
      .join(' ');
    const agrees =
      row.disagreement &&
      `  losses ${row.disagreement.losses.toExponential(1)}, probe ${row.disagreement.probe.toExponential(1)}`;
    console.log(
      `${row.name.padEnd(18)} median, min, cpu ${figures}   ×${row.timesOurs.toFixed(2)}${agrees ?? ''}`,
    );
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  const wrong = peers.filter((peer) => {
    const { losses, probe } = disagreement(ours, peer);
    return !(losses <= LOSS_TOLERANCE && probe <= PROBE_TOLERANCE);
  });
  if (wrong.length > 0) {
    console.error(`Not the same numbers as meanflow: ${wrong.map(({ peer }) => peer.name).join(', ')}.`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
