/** One command in a shell, as a user would type it: without the settings that npm hands to what it starts, and with an end. */
import { spawn } from 'node:child_process';
import { clearTimeout, setTimeout } from 'node:timers';

/** None of what is run here takes half as long. */
const LIMIT_MS = 240_000;

/** The environment of this process without what `npm test` put into it, our own .npmrc among it. */
function userEnvironment(more) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$)/i.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

/**
 * @param {string} command of a POSIX shell; it ends at the first part that fails
 * @param {{ cwd: string, env?: Record<string, string> }} options
 * @returns {Promise<{ code: number, output: string, seconds: number }>} `output` is both streams, in the order in which they came
 */
export function run(command, { cwd, env = {} }) {
  const start = performance.now();
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn('sh', ['-e', '-c', command], {
      cwd,
      env: userEnvironment(env),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    const timer = setTimeout(() => {
      output += `\nEnded after ${LIMIT_MS / 1000} s.`;
      process.kill(-child.pid, 'SIGKILL');
    }, LIMIT_MS);
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output, seconds: (performance.now() - start) / 1000 });
    });
  });
}
