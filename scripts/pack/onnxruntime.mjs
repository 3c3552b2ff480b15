/**
 * ONNX Runtime for Node as a package for each platform. onnxruntime-node has the binaries of all platforms, 288 MB, and an install
 * script that on linux-x64 downloads CUDA libraries from elsewhere, so that `npm install` fails where only the registry is reached.
 * Ours have its files for one platform, unchanged, and no script. They are taken from the registry's tarball, whose digest is the
 * one of package-lock.json. For Windows its package is asked for itself: the script does nothing there, and DirectML, which
 * its files contain, is Microsoft's to hand on.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { manifestOf, root } from './packages.mjs';

const SOURCE = 'onnxruntime-node';
/** Its name below the packages for Windows: by its own, npm would keep it everywhere for others of ours that may use it. */
const ALIAS = 'onnxruntime-for-windows';

/**
 * Writes the packages.
 *
 * @param {string} staging where each gets a folder
 * @returns {Promise<{ folders: string[], versions: Record<string, string> }>} their folders, and their versions by name
 */
export async function stageOnnxRuntime(staging) {
  // What loads them says which there are. It has been built by now, and no import that lint sees: it is no part of the scripts.
  const loader = pathToFileURL(join(root, 'packages', 'runs', 'dist', 'onnx-runtime.js'));
  const { ORT_PLATFORMS, ORT_VERSION } = await import(loader.href);
  const unpacked = mkdtempSync(join(tmpdir(), 'meanflow-onnxruntime-'));
  try {
    const original = unpack(ORT_VERSION, unpacked);
    const versions = {};
    const folders = ORT_PLATFORMS.map((host) => {
      const folder = join(staging, `onnxruntime-${host}`);
      const [platform, processor] = host.split('-');
      const manifest = manifestFor(platform, processor, original);
      mkdirSync(folder, { recursive: true });
      if (platform === 'win32') writeReexport(folder);
      else copyFiles(original, platform, processor, folder);
      writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
      writeFileSync(join(folder, 'README.md'), readme(manifest, host));
      writeFileSync(join(folder, 'LICENSE'), licence());
      versions[manifest.name] = manifest.version;
      return folder;
    });
    return { folders, versions };
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** Fetches and unpacks the tarball. @throws when it is not the one that package-lock.json knows */
function unpack(version, folder) {
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[
    `node_modules/${SOURCE}`
  ];
  if (locked.version !== version) {
    throw new Error(
      `package-lock.json has ${SOURCE} ${locked.version}, and @meanflow/runs loads ${version}.`,
    );
  }
  const isWindows = process.platform === 'win32';
  const run = (command, ...args) => {
    const { status } = spawnSync(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: isWindows && command === 'npm',
    });
    if (status !== 0) throw new Error(`${command} ${args[0]} ended with status ${status}.`);
  };
  run(
    'npm',
    'pack',
    `${SOURCE}@${version}`,
    '--pack-destination',
    folder,
    '--prefer-offline',
    '--loglevel=error',
  );
  const tarball = join(folder, `${SOURCE}-${version}.tgz`);
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (integrity !== locked.integrity) {
    throw new Error(
      `The registry's ${SOURCE} ${version} is ${integrity}, package-lock.json expects ${locked.integrity}.`,
    );
  }
  run('tar', '-xzf', tarball, '-C', folder);
  return join(folder, 'package');
}

/** Its JavaScript and declarations, and the libraries of one platform, each once. */
function copyFiles(original, platform, processor, folder) {
  cpSync(join(original, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !path.endsWith('.map'),
  });
  const binaries = join('bin', 'napi-v6', platform, processor);
  mkdirSync(join(folder, binaries), { recursive: true });
  const binding = readFileSync(join(original, binaries, 'onnxruntime_binding.node'));
  // On macOS the library lies there twice, and the binding is linked with one of the two names.
  const names = readdirSync(join(original, binaries)).filter(
    (name) => name.endsWith('.node') || binding.includes(name),
  );
  if (names.length < 2)
    throw new Error(
      `${SOURCE}'s binding for ${platform}-${processor} names none of the libraries beside it.`,
    );
  for (const name of names) cpSync(join(original, binaries, name), join(folder, binaries, name));
}

function writeReexport(folder) {
  writeFileSync(join(folder, 'index.js'), `module.exports = require('${ALIAS}');\n`);
  writeFileSync(join(folder, 'index.d.ts'), `export * from '${ALIAS}';\n`);
}

function manifestFor(platform, processor, original) {
  const { version, dependencies } = manifestOf(original);
  const { license, repository, homepage, bugs, publishConfig } = manifestOf(join(root, 'packages', 'runs'));
  const main = platform === 'win32' ? 'index.js' : 'dist/index.js';
  const { 'onnxruntime-common': common } = dependencies;
  return {
    name: `@meanflow/onnxruntime-${platform}-${processor}`,
    version,
    description: `ONNX Runtime for Node on ${platform}-${processor}, from ${SOURCE}, without its install script`,
    keywords: ['onnx', 'onnxruntime'],
    license,
    author: 'Microsoft Corporation',
    homepage,
    bugs,
    repository,
    main,
    types: main.replace('.js', '.d.ts'),
    os: [platform],
    cpu: [processor],
    ...(platform === 'linux' ? { libc: ['glibc'] } : {}),
    dependencies:
      platform === 'win32' ? { [ALIAS]: `npm:${SOURCE}@${version}` } : { 'onnxruntime-common': common },
    publishConfig,
  };
}

const readme = ({ name, version }, host) => `# ${name}

[ONNX Runtime](https://onnxruntime.ai) ${version} for Node on ${host}, as [${SOURCE}](https://www.npmjs.com/package/${SOURCE}) has it.
${
  host.startsWith('win32')
    ? 'It loads that package, which it depends on.'
    : `The files for this platform are here, unchanged, and not its install script, which downloads CUDA libraries on linux-x64.`
}

\`@meanflow/runs\` brings it, and it stands wherever \`${SOURCE}\` does:

\`\`\`js
const backend = await ortBackend({ ort: () => import('${name}'), device: 'cpu' });
\`\`\`

ONNX Runtime is © Microsoft Corporation, under the MIT licence (\`LICENSE\`). It contains third-party software, with notices in
[ThirdPartyNotices.txt](https://github.com/microsoft/onnxruntime/blob/v${version}/ThirdPartyNotices.txt).
`;

/** The text of ours, with its own copyright. */
const licence = () =>
  readFileSync(join(root, 'LICENSE'), 'utf8').replace(
    /^Copyright .*$/m,
    'Copyright (c) Microsoft Corporation',
  );
