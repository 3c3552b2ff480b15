/**
 * A project is files and checks, run in order in a folder of its own. One in a folder here is an ordinary npm project: its checks are
 * `npm install` and then each script of its package.json whose name begins with `check:`. A check that ends with code 77 is
 * skipped, and its last line says why. In package.json, `"os"` and `"cpu"` are where it runs; of `"outside"`, `onlyWhenAsked: true`
 * keeps it out of what runs when nothing is named, and `copies` are files of other projects that it has too.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from './command.mjs';
import { root } from './root.mjs';

const SKIPPED = 77;

/**
 * @typedef {object} Check
 * @property {string} name what is said of it
 * @property {string} command
 * @property {readonly { file: string, text: string }[]} [files] written before it
 * @property {(output: string) => string | undefined} [judge] what is wrong with what it printed
 */

/**
 * @typedef {object} Project
 * @property {string} name
 * @property {boolean} onlyWhenAsked
 * @property {boolean} inOrder whether a check needs those before it
 * @property {string | undefined} absence why it does not run on this machine
 * @property {readonly string[]} sources files, and a folder, that are copied
 * @property {readonly Check[]} checks
 */

/** @returns {Project[]} those in folders beside this one */
export function readProjects() {
  const here = join(root, 'outside');
  return readdirSync(here)
    .filter((name) => existsSync(join(here, name, 'package.json')))
    .map((name) => folderProject(name, join(here, name)));
}

function folderProject(name, source) {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const scripts = Object.keys(manifest.scripts).filter((script) => script.startsWith('check:'));
  return {
    name,
    onlyWhenAsked: manifest.outside?.onlyWhenAsked === true,
    inOrder: false,
    absence: absenceOf(manifest),
    sources: [source, ...(manifest.outside?.copies ?? []).map((file) => join(root, 'outside', file))],
    checks: [
      { name: 'npm install', command: 'npm install --no-audit --no-fund' },
      ...scripts.map((script) => ({
        name: script.slice('check:'.length),
        command: `npm run --silent ${script}`,
      })),
    ],
  };
}

function absenceOf({ os = [process.platform], cpu = [process.arch] }) {
  if (os.includes(process.platform) && cpu.includes(process.arch)) return undefined;
  return `it is for ${os.join(', ')} on ${cpu.join(', ')}`;
}

/**
 * Writes a project into a folder of its own below `parent` and runs its checks.
 *
 * @param {Project} project
 * @param {string} registry where npm finds packages
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runProject({ name, sources, checks, inOrder, absence }, parent, registry) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const say = (outcome, check, text) => {
    counts[outcome] += 1;
    console.log(`outside/${name}: ${outcome === 'passed' ? '' : `${outcome}: `}${check} (${text})`);
  };
  if (absence !== undefined) {
    say('skipped', `${checks.length} checks`, absence);
    return counts;
  }
  const folder = join(parent, name.replaceAll('/', '-'));
  mkdirSync(folder);
  for (const source of sources) {
    cpSync(source, statSync(source).isDirectory() ? folder : join(folder, basename(source)), {
      recursive: true,
    });
  }
  // What npm has kept of public packages is taken as it is: their versions are named.
  const env = {
    npm_config_registry: registry,
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  for (const [index, check] of checks.entries()) {
    for (const { file, text } of check.files ?? []) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const { code, output, seconds } = await run(check.command, { cwd: folder, env });
    const lines = output.trimEnd().split('\n');
    const complaint =
      code === 0 ? check.judge?.(output) : code === SKIPPED ? undefined : `it ended with code ${code}`;
    if (complaint === undefined && code === SKIPPED) say('skipped', check.name, lines.at(-1));
    else if (complaint === undefined) say('passed', check.name, `${seconds.toFixed(1)} s`);
    else {
      say('failed', check.name, complaint);
      console.log(lines.map((line) => `    ${line}`).join('\n'));
      if (inOrder || index === 0) {
        for (const { name } of checks.slice(index + 1)) say('skipped', name, `"${check.name}" failed`);
        break;
      }
    }
  }
  return counts;
}
