/**
 * Times convolutions on `ort:cpu`, and their gradients by the input and by the kernel, at the shapes of a U-Net on
 * 32 × 32 images: interleaved in one run with PyTorch, which must compute the same numbers, and with another build of
 * backend-ort where one is given.
 *
 *     node dist/conv.js [--threads 1] [--rounds 7] [--before FOLDER] [--json FILE]
 *                                         (PYTHON=/path/to/python names an interpreter with torch)
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ortBackend } from '@meanflow/backend-ort';
import {
  compile,
  conv,
  grad,
  HostArray,
  mul,
  sizeOf,
  sum,
  trace,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { median, startPeer } from './peer.js';

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '7' },
    /** The `dist` of another build of backend-ort. */
    before: { type: 'string' },
    json: { type: 'string' },
  },
});
const [threads, rounds] = [options.threads, options.rounds].map(Number);

/** Largest difference of a peer's probe from ours, relative to the norm of the result, that float32 explains. */
const TOLERANCE = 1e-3;

/** `[batch, channels, size, size]`, features and side of the window. */
const SHAPES: readonly (readonly [Shape, number, number])[] = [
  [[4, 32, 16, 16], 32, 3],
  [[16, 3, 32, 32], 128, 3],
  [[16, 128, 32, 32], 128, 3],
  [[16, 128, 32, 32], 3, 3],
  [[16, 256, 16, 16], 256, 3],
  [[16, 512, 16, 16], 256, 1],
  [[16, 256, 8, 8], 256, 3],
];

type Arrays = { readonly x: Tensor; readonly kernel: Tensor; readonly cotangent: Tensor };
const forward = (x: Tensor, kernel: Tensor): Tensor => {
  const padding = (kernel.shape[2] - 1) / 2;
  return conv(x, kernel, { padding: [[padding, padding], [padding, padding]] }); // prettier-ignore
};
const OPS = {
  forward: ({ x, kernel }: Arrays) => forward(x, kernel),
  'input gradient': ({ x, kernel, cotangent }: Arrays) =>
    grad((t: Tensor) => sum(mul(forward(t, kernel), cotangent)))(x),
  'kernel gradient': ({ x, kernel, cotangent }: Arrays) =>
    grad((t: Tensor) => sum(mul(forward(x, t), cotangent)))(kernel),
} as const;

/** Numbers that every program computes alike. */
function values(shape: Shape, seed: number): HostArray<'float32'> {
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => ((i * 7919 + seed * 104729) % 2003) / 1001 - 1,
  );
  return new HostArray('float32', shape, data);
}

interface Answer {
  /** Wall and CPU milliseconds. */
  readonly times: readonly (readonly [wall: number, cpu: number])[];
  readonly probe: number;
  /** The result's norm. */
  readonly scale: number;
}

interface Contestant {
  readonly name: string;
  /** One timed run. */
  run(): Promise<Answer>;
}

type Program = (typeof OPS)[keyof typeof OPS];

async function contestant(
  name: string,
  backend: Awaited<ReturnType<typeof ortBackend>>,
  program: Program,
  inputs: { x: HostArray<'float32'>; kernel: HostArray<'float32'>; cotangent: HostArray<'float32'> },
): Promise<Contestant> {
  const executable = await compile(backend, trace(program, inputs));
  return {
    name,
    run: async () => {
      const [wall, cpu] = [performance.now(), process.cpuUsage()];
      const output = await executable.run(inputs);
      const used = process.cpuUsage(cpu);
      const time = [performance.now() - wall, (used.user + used.system) / 1000] as const;
      const { data } = await output.read();
      output.dispose();
      let [probe, squares] = [0, 0];
      for (let i = 0; i < data.length; i++) {
        probe += data[i] * (((i * 31) % 17) - 8);
        squares += data[i] ** 2;
      }
      return { times: [time], probe, scale: Math.sqrt(squares) };
    },
  };
}

const script = fileURLToPath(new URL('../peers/conv.py', import.meta.url));
const torch = await startPeer<{ version: string }>('PyTorch', process.env.PYTHON ?? 'python3', [
  script,
  String(threads),
]);
const ours = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', threads });
const other =
  options.before === undefined
    ? undefined
    : ((await import(pathToFileURL(resolve(options.before, 'index.js')).href)) as {
        readonly ortBackend: typeof ortBackend;
      });
const before = await other?.ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', threads });

console.log(
  `\nms (median wall, fastest CPU) with ${threads} threads of ${cpus().length}, ${cpus()[0].model}`,
);
const results: Record<string, unknown>[] = [];
let isWrong = false;
for (const [x, features, side] of SHAPES) {
  const kernel = [features, x[1], side, side];
  const output = [x[0], features, ...x.slice(2)];
  const inputs = { x: values(x, 1), kernel: values(kernel, 2), cotangent: values(output, 3) };
  console.log(`\n[${x.join(', ')}] by [${kernel.join(', ')}]`);
  const forwards = new Map<string, number>();
  for (const op of Object.keys(OPS) as (keyof typeof OPS)[]) {
    const task = JSON.stringify({ op, x, kernel, padding: (side - 1) / 2, runs: 1 });
    const contestants = [await contestant('meanflow', ours, OPS[op], inputs)];
    if (before !== undefined) contestants.push(await contestant('before', before, OPS[op], inputs));
    if (torch !== undefined) {
      contestants.push({ name: 'PyTorch', run: async () => (await torch.ask(task)) as Answer });
    }
    const rows = [];
    for (const { name, run } of contestants) {
      // The first run is not timed.
      const { probe, scale } = await run();
      rows.push({ name, run, probe, scale, wall: [] as number[], cpu: [] as number[] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { run, wall, cpu } of rows) {
        const [[wallTime, cpuTime]] = (await run()).times;
        wall.push(wallTime);
        cpu.push(cpuTime);
      }
    }
    const [first] = rows;
    for (const { name, wall, cpu, probe } of rows) {
      const fastest = Math.min(...cpu);
      if (op === 'forward') forwards.set(name, fastest);
      const toForward = fastest / forwards.get(name)!;
      const toOurs = fastest / Math.min(...first.cpu);
      const difference = Math.abs(probe - first.probe) / first.scale;
      isWrong ||= !(difference <= TOLERANCE);
      console.log(
        `${op.padEnd(16)} ${name.padEnd(9)} ${median(wall).toFixed(2).padStart(8)} ${fastest.toFixed(2).padStart(8)}` +
          `  ×${toForward.toFixed(2)} of its forward, ×${toOurs.toFixed(2)} of ours, differs by ${difference.toExponential(0)}`,
      );
      results.push({
        ...{ x, kernel, op, name, threads, wallMedian: median(wall), cpuMinimum: fastest },
        ...{ toForward, toOurs, difference },
      });
    }
  }
}
torch?.end();
await before?.dispose();
await ours.dispose();
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
if (isWrong) {
  console.error('Not all programs computed the same numbers.');
  process.exitCode = 1;
}
