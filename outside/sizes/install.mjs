/** Installs packages into an empty folder, as a user would, and counts what is there then. */
import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * @param {readonly string[]} packages
 * @param {string} folder that is made
 * @param {NodeJS.ProcessEnv} [env] npm's environment
 * @returns {Promise<{ names: string[], scripts: string[], megabytes: number, ours: number, seconds: number }>} the packages that were
 *   installed; those among them with install scripts; their files in 10⁶ bytes, all and ours without ONNX Runtime's binaries
 */
export async function install(packages, folder, env = process.env) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const start = performance.now();
  const options = { cwd: folder, env, shell: process.platform === 'win32' };
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...packages], options);
  const seconds = (performance.now() - start) / 1000;
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
  const entries = Object.entries(lock.packages);
  const nameOf = (path) => path.replace(/^.*node_modules\//, '');
  const isOurs = (name) => /^(meanflow|@meanflow\/(?!onnxruntime-).*)$/.test(name);
  const total = (paths) => paths.reduce((sum, path) => sum + bytesIn(join(folder, path)), 0) / 1e6;
  return {
    names: entries.map(([path]) => nameOf(path)),
    scripts: entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path)),
    megabytes: total(['node_modules']),
    ours: total(entries.map(([path]) => path).filter((path) => isOurs(nameOf(path)))),
    seconds,
  };
}

function bytesIn(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
}
