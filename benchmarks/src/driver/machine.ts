/** The machine: processor, memory, and the versions of what is measured on it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly processor: string;
  readonly isIntel: boolean;
  /** Threads that every program is told to take. */
  readonly threads: number;
  readonly memoryMb: number;
  readonly system: string;
  /** Programs and libraries by name; those that are not there are left out. */
  readonly versions: Readonly<Record<string, string>>;
  /** The interpreter of the peers in Python. */
  readonly python: string;
  /** The library whose preloading makes MKL take its fast products; built here. */
  readonly fastMkl: string | undefined;
  /** A folder that is removed at the end. */
  readonly scratch: string;
}

export function inspect(python: string, scratch: string, threads = availableParallelism()): Machine {
  const { model = 'unknown' } = cpus()[0] ?? {};
  return {
    processor: `${model.trim()}, ${cpus().length} cores`,
    isIntel: /GenuineIntel/.test(cpuInfo()),
    threads,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    system: `${type()} ${release()}`,
    versions: { node: process.version, ...packageVersions(), ...pythonVersions(python) },
    python,
    fastMkl: buildFastMkl(scratch),
    scratch,
  };
}

/** What can be taken without swapping, in MB. */
export function availableMemory(): number {
  try {
    const found = /MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'));
    if (found?.[1] !== undefined) return Number(found[1]) / 1024;
  } catch {
    // Another system than Linux.
  }
  return freemem() / 2 ** 20;
}

/** Milliseconds that all processors have worked since the machine started; `undefined` where the system does not tell. */
export function busyTime(): number | undefined {
  try {
    const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/);
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
    return 10 * (user + nice + system + irq + softirq + steal);
  } catch {
    return undefined;
  }
}

function cpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

const libraries = ['onnxruntime-node', 'onnxruntime-web', '@tensorflow/tfjs-core', '@jax-js/jax'];

function packageVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const name of libraries) {
    for (const folder of ['..', '../..']) {
      const path = fileURLToPath(new URL(`../${folder}/node_modules/${name}/package.json`, import.meta.url));
      try {
        versions[name] = (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
      } catch {
        // It is in the other folder, or nowhere.
      }
    }
  }
  return versions;
}

const ASK = `
import importlib.metadata, json, platform
found = {"python": platform.python_version()}
for name in ("torch", "jax"):
    try: found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: pass
print(json.dumps(found))`;

function pythonVersions(python: string): Record<string, string> {
  const { status, stdout } = spawnSync(python, ['-c', ASK], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Record<string, string>) : {};
}

function buildFastMkl(scratch: string): string | undefined {
  const [source, library] = [fileURLToPath(new URL('../../peers/fast_mkl.c', import.meta.url)), join(scratch, 'fast_mkl.so')]; // prettier-ignore
  return spawnSync('gcc', ['-shared', '-fPIC', '-o', library, source]).status === 0 ? library : undefined;
}
