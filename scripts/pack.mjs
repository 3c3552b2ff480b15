/**
 * `npm run pack`: every published package as a tarball in `release/`, made as it would be published. The packages are built, staged
 * in `release/staging` (which is what `nx release publish` takes) and packed by npm. What npm would refuse to install on this platform
 * lies in `release/other-platforms`, so that `npm install release/*.tgz` installs the rest.
 *
 *     npm run pack
 *     npm run pack -- --out FOLDER      somewhere else; tarballs and staging of an earlier time are replaced
 *     npm run pack -- --ours            only the packages of this workspace, for which no registry is asked
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stageAdditions } from './pack/additions.mjs';
import { publishedPackages, root } from './pack/packages.mjs';
import { stage } from './pack/stage.mjs';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'release') },
    ours: { type: 'boolean', default: false },
  },
});
const out = resolve(options.out);
const staging = join(out, 'staging');
const elsewhere = join(out, 'other-platforms');
const packages = publishedPackages();

/** Runs a command in the workspace and gives what it printed; what it says of errors is passed through. */
function run(command, ...args) {
  const isWindows = process.platform === 'win32';
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    // npm is a script there.
    shell: isWindows && command === 'npm',
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args[0]} ended with status ${status}.\n${stdout}`, { cause: error });
}

/** What npm says of tarballs that it made, or would make. */
const npmPack = (...args) =>
  Object.values(JSON.parse(run('npm', 'pack', '--json', '--loglevel=error', ...args)));
/** Of no folder, npm would pack the one that it is called in: the whole workspace. */
const npmPackTo = (destination, folders) =>
  folders.length === 0 ? [] : npmPack('--pack-destination', destination, ...folders);

/** Whether npm would install a staged package on this platform. */
function runsHere(folder) {
  const { os = [process.platform], cpu = [process.arch] } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  return os.includes(process.platform) && cpu.includes(process.arch);
}

const projects = packages.map(({ path }) => join(path, 'tsconfig.lib.json'));
run(process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects);

rmSync(staging, { recursive: true, force: true });
rmSync(elsewhere, { recursive: true, force: true });
mkdirSync(elsewhere, { recursive: true });
for (const name of readdirSync(out)) if (name.endsWith('.tgz')) rmSync(join(out, name));

const additions = options.ours ? { folders: [], optionalDependencies: {} } : await stageAdditions(staging);
const planned = npmPack('--dry-run', ...packages.flatMap(({ path }) => ['--workspace', path]));
for (const from of packages) {
  const { name } = from.manifest;
  const files = planned.find((tarball) => tarball.name === name).files.map(({ path }) => path);
  stage(from, files, join(staging, from.path), additions.optionalDependencies[name]);
}

const folders = [...packages.map(({ path }) => join(staging, path)), ...additions.folders];
const tarballs = [
  ...npmPackTo(out, folders.filter(runsHere)),
  ...npmPackTo(
    elsewhere,
    folders.filter((folder) => !runsHere(folder)),
  ),
];
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
for (const { filename, size, unpackedSize } of tarballs) {
  console.log(
    `${filename.padEnd(44)} ${megabytes(size).padStart(9)}, ${megabytes(unpackedSize).padStart(9)} unpacked`,
  );
}
console.log(`${tarballs.length} tarballs in ${out}`);
