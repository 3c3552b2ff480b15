/** Nothing that runs here is told to anybody, and no file is left in the home of who runs it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const hasStrace = spawnSync('strace', ['-V']).status === 0;

interface Trace {
  /** The files in the home afterwards. */
  readonly files: readonly string[];
  /** Calls that reach out of the machine; undefined where they cannot be traced. */
  readonly calls: readonly string[] | undefined;
}

/** Runs the program in a process of its own, with a home of its own and nothing but `settings` about telemetry. */
function runTraced(how: 'imported' | 'given', settings: Readonly<Record<string, string>> = {}): Trace {
  const home = mkdtempSync(join(tmpdir(), 'meanflow-home-'));
  const log = join(home, 'calls.log');
  try {
    const node = [
      process.execPath,
      '--conditions',
      '@meanflow/source',
      '--import',
      at('../../../scripts/typescript-loader.mjs'),
      at('./programs/one-run.ts'),
      how,
    ];
    const strace = ['strace', '-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,openat', '-o', log];
    const [command, ...args] = hasStrace ? [...strace, ...node] : node;
    // The library tells nothing where it finds itself in continuous integration, so that nothing would be seen there.
    const { ORT_DISABLE_TELEMETRY: _, MEANFLOW_ORT_TELEMETRY: __, CI: ___, ...env } = process.env;
    const { stdout, stderr, status } = spawnSync(command, args, {
      encoding: 'utf8',
      env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), ...settings },
    });
    expect([status, stdout.trim(), stderr]).toEqual([0, '2,4', '']);
    // What compiles the test's own program keeps files of its own there.
    const files = readdirSync(home, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'calls.log' && !entry.parentPath.includes('swc'))
      .map((entry) => entry.name);
    const calls = hasStrace
      ? readFileSync(log, 'utf8')
          .split('\n')
          .filter((line) => /AF_INET|resolv\.conf|\/etc\/hosts|\.onnxruntime/.test(line))
      : undefined;
    return { files, calls };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

test.each(['imported', 'given'] as const)(
  'with the module %s there is no file, no look-up and no connection',
  (how) => {
    const { files, calls } = runTraced(how);
    expect(files).toEqual([]);
    expect(calls ?? []).toEqual([]);
  },
);

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('who wants it gets it, which also shows that the test would see it', () => {
  const ways: Record<string, string>[] = [{ MEANFLOW_ORT_TELEMETRY: '1' }, { ORT_DISABLE_TELEMETRY: '0' }];
  for (const settings of ways) {
    expect(runTraced('imported', settings).files).toContain('deviceid');
  }
});

(hasStrace ? test.skip : test)('system calls are not traced: strace is not installed', () => undefined);
