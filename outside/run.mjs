/**
 * Tests from outside the workspace: what users install, in folders of theirs, from the packed packages. Each folder here that has a
 * package.json is a project, and each page of the documentation with blocks marked `run` is one: it is copied into a temporary folder
 * outside the repository, `npm install` brings our tarballs and the public packages, and its checks are run.
 *
 *     node outside/run.mjs                        everything that is quick to bring
 *     node outside/run.mjs --all                  the rest too
 *     node outside/run.mjs types docs/library     these: folders here, and pages whose path begins so
 *     node outside/run.mjs --keep types           leaves the temporary folder, and says where it is
 *
 * Part of `npm test`; `npm test -- outside` runs this alone, with the rest. Where the npm registry is not reached everything is
 * skipped; with MEANFLOW_REQUIRE_REGISTRY=1 that is an error, and the rest runs too. Counts are left in `reports/counts.json`, for
 * scripts/test.mjs to add up.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from './driver/command.mjs';
import { readPages } from './driver/pages.mjs';
import { readProjects, runProject } from './driver/projects.mjs';
import { serveRegistry } from './driver/registry.mjs';
import { packPackages } from './driver/tarballs.mjs';
import { root } from './driver/root.mjs';

const { values: options, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});
const required = process.env.MEANFLOW_REQUIRE_REGISTRY === '1';
const counts = { passed: 0, failed: 0, skipped: 0 };

const all = [...readProjects(), ...readPages()];
const chosen =
  asked.length > 0
    ? all.filter(({ name }) => asked.some((start) => name === start || name.startsWith(`${start}/`)))
    : all.filter(({ onlyWhenAsked }) => required || options.all || !onlyWhenAsked);
if (chosen.length === 0) {
  console.error(
    `There is no project "${asked.join('", "')}"; there are: ${all.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(1);
}

const registry = (await run('npm config get registry', { cwd: root })).output.trim();
const ping = await run('npm ping --fetch-retries=0 --fetch-timeout=10000', { cwd: root });
if (ping.code !== 0) {
  console.log(`outside: ${required ? 'failed' : 'skipped'}: the npm registry ${registry} is not reached.`);
  counts[required ? 'failed' : 'skipped'] += 1;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'meanflow-outside-'));
  const server = await serveRegistry(packPackages(), registry);
  try {
    for (const project of chosen) {
      for (const [outcome, count] of Object.entries(await runProject(project, folder, server.url))) {
        counts[outcome] += count;
      }
    }
  } finally {
    server.close();
    if (options.keep) console.log(`outside: the projects are left in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

mkdirSync(join(root, 'outside', 'reports'), { recursive: true });
writeFileSync(join(root, 'outside', 'reports', 'counts.json'), `${JSON.stringify(counts)}\n`);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
