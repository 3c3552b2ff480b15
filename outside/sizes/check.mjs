/**
 * Installing brings what is needed and nothing else: no install script runs, what is optional stays away, packages and
 * megabytes are within bounds, and the command then trains. Bytes and packages are counted, and no time.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { install } from './install.mjs';
import { parts } from './parts.mjs';

/** What is installed by who wants it. */
const optional = /^(onnxruntime-(node|web)|webgpu|esbuild|playwright-core|@tensorflow\/.*|echarts)$/;
const complaints = [];

for (const [index, { packages, most }] of parts.entries()) {
  if (most === undefined) continue;
  const { names, scripts, ...counted } = await install(packages, join('installed', String(index)));
  const found = { ...counted, packages: names.length };
  console.log(
    `${packages.join(' ')}: ${names.length} packages, ${found.megabytes.toFixed(2)} MB, ${found.ours.toFixed(2)} of them ours`,
  );
  for (const [what, bound] of Object.entries(most)) {
    if (found[what] > bound) {
      complaints.push(
        `${packages.join(' ')} brings ${what} ${found[what]}, expected at most ${bound}: ${names.join(', ')}`,
      );
    }
  }
  const unasked = names.filter((name) => optional.test(name));
  if (unasked.length > 0)
    complaints.push(`${packages.join(' ')} brings ${unasked.join(', ')}, which nobody asked for`);
  if (scripts.length > 0)
    complaints.push(`${packages.join(' ')} brings install scripts, of ${scripts.join(', ')}`);
}

const command = join('node_modules', '.bin', 'meanflow');
const options = ['--data', 'two-moons', '--steps', '8', '--batch', '16', '--out', 'run'];
execFileSync(command, ['train', ...options], { cwd: join('installed', '0'), stdio: 'ignore' });

for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
