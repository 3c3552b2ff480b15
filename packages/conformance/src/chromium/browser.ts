/**
 * Chromium: where it is, and how it is started so that a page can reach the machine's WebGPU adapter. Which adapter that is, the
 * backend in the page finds out, and refuses one in software unless that is allowed.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BackendError } from '@meanflow/core';
import type { Browser } from 'playwright-core';
import { peer } from './peer.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

const HELP =
  'Install Chromium (on Debian and Ubuntu `apt-get install chromium`) or Chrome, or set CHROMIUM_PATH to the executable.';

/**
 * The executable: CHROMIUM_PATH of the environment, or the first one on PATH.
 *
 * @throws {BackendError} when there is none, saying what to install
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const { CHROMIUM_PATH: given, PATH = '' } = environment;
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return given;
    throw new BackendError(`CHROMIUM_PATH is "${given}", where there is no file. ${HELP}`);
  }
  const folders = PATH.split(delimiter).filter((folder) => folder !== '');
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (found !== undefined) return found;
  throw new BackendError(`No Chromium was found on PATH (looked for ${names.join(', ')}). ${HELP}`);
}

// WebGPU on Linux is behind the first flag, and Vulkan, on which it computes, behind the second.
const flags = ['--enable-unsafe-webgpu', '--enable-features=Vulkan'];

/**
 * Starts Chromium without a window.
 *
 * @param more further flags of its command line
 * @throws {BackendError} when there is none, it does not start, or playwright-core is missing
 */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  const { chromium } = await peer('playwright-core', () => import('playwright-core'));
  try {
    return await chromium.launch({ executablePath, headless: true, args: [...flags, ...more] });
  } catch (error) {
    const [first] = (error as Error).message.split('\n');
    throw new BackendError(`Chromium (${executablePath}) did not start: ${first}. ${HELP}`, { cause: error });
  }
}
