/**
 * `npm run sizes`: what each part costs, written into docs/sizes.md. Each is installed by itself into an empty folder, ours from the
 * packed packages and the others from the npm registry, with scripts off: what those download from elsewhere is not counted.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveRegistry } from '../outside/driver/registry.mjs';
import { root } from '../outside/driver/root.mjs';
import { packPackages } from '../outside/driver/tarballs.mjs';
import { install } from '../outside/sizes/install.mjs';
import { parts } from '../outside/sizes/parts.mjs';

const PAGE = join(root, 'docs', 'sizes.md');
const [BEGIN, END] = ['<!-- by npm run sizes -->', '<!-- end -->'];

const registry = execFileSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8' }).trim();
const server = await serveRegistry(packPackages(), registry);
const folder = mkdtempSync(join(tmpdir(), 'meanflow-sizes-'));
const kept = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'));
const env = {
  ...Object.fromEntries(kept),
  npm_config_registry: server.url,
  npm_config_ignore_scripts: 'true',
};
const rows = [];
try {
  for (const [index, { title, packages }] of parts.entries()) {
    const { names, megabytes, seconds } = await install(packages, join(folder, String(index)), env);
    const size = megabytes < 10 ? megabytes.toFixed(1) : megabytes.toFixed(0);
    console.log(`${packages.join(' ')}: ${names.length} packages, ${size} MB, ${seconds.toFixed(1)} s`);
    rows.push(`| ${title} | \`npm install ${packages.join(' ')}\` | ${names.length} | ${size} |`);
  }
} finally {
  server.close();
  rmSync(folder, { recursive: true, force: true });
}

const table = ['| what for | typed | packages | MB |', '| --- | --- | ---: | ---: |', ...rows].join('\n');
const page = readFileSync(PAGE, 'utf8');
const [before, after] = [page.slice(0, page.indexOf(BEGIN) + BEGIN.length), page.slice(page.indexOf(END))];
writeFileSync(PAGE, `${before}\n\n${table}\n\n${after}`);
execFileSync('npx', ['prettier', '--write', '--log-level', 'warn', PAGE], { cwd: root, stdio: 'inherit' });
