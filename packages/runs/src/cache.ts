/** The folder for what is computed once and can be computed again: `MEANFLOW_CACHE`, or the place that the system has for it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Not made yet. The XDG base directory specification on Linux; `~/Library/Caches` and `%LOCALAPPDATA%` elsewhere. */
export function cacheFolder(environment: Readonly<NodeJS.ProcessEnv> = process.env): string {
  const { MEANFLOW_CACHE: own, XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (own) return own;
  if (xdg) return join(xdg, 'meanflow');
  if (process.platform === 'win32')
    return join(local ?? join(homedir(), 'AppData', 'Local'), 'meanflow', 'cache');
  return process.platform === 'darwin'
    ? join(homedir(), 'Library', 'Caches', 'meanflow')
    : join(homedir(), '.cache', 'meanflow');
}
