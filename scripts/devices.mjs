/**
 * Prints what decides which devices tests can use here: Chromium, the Vulkan loader and its drivers, each with the time
 * of its last change. Nx takes it as an input of the tests, so that one that was skipped for want of a browser or a
 * driver is run, and not taken from the cache, once there is one.
 */
import { readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import './software-vulkan.mjs';

const { env } = process;
const folders = (list = '') => list.split(delimiter).filter((folder) => folder !== '');
/** Paths in a folder; none where it cannot be read. */
function within(folder, isWanted) {
  try {
    return readdirSync(folder)
      .filter(isWanted)
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const libraries = ['/lib', '/usr/lib', '/usr/lib64', '/usr/local/lib'];
const paths = [
  env.CHROMIUM_PATH ?? '',
  ...folders(env.PATH).flatMap((folder) => browsers.map((name) => join(folder, name))),
  ...[
    ...libraries,
    ...libraries.map((folder) =>
      join(folder, `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`),
    ),
  ]
    .concat(folders(env.LD_LIBRARY_PATH))
    .flatMap((folder) => within(folder, (name) => name.startsWith('libvulkan.so'))),
  ...['/usr/share', '/usr/local/share', '/etc'].flatMap((folder) =>
    within(join(folder, 'vulkan/icd.d'), (name) => name.endsWith('.json')),
  ),
  ...['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES'].flatMap((name) => folders(env[name])),
];
for (const path of new Set(paths)) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) console.log(`${path} ${found.mtime.toISOString()}`);
}
