/**
 * What lies in a folder of images, however deep: images, which are known by their name or by how they begin, and the rest,
 * which is passed over and counted. Links are followed when that is asked for, and never in a circle.
 */
import { type Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { imageKindOf, isNamedAsImage } from '../images/image-kinds.js';
import { describeFileError } from './read-file.js';
import { beginningOf } from './sharp.js';

export interface ScanOptions {
  /** Whether links to files and folders are followed; otherwise they are counted. */
  readonly followLinks: boolean;
}

/** A folder's content. Paths are relative to it, with `/`. */
export interface FolderScan {
  /** In order. */
  readonly images: readonly string[];
  readonly folders: readonly string[];
  /** Files that are no images, hidden ones and folders of file systems and archivers, by ending or name. */
  readonly others: ReadonlyMap<string, number>;
  /** Links that were not followed: none is, or this one leads in a circle. */
  readonly links: readonly string[];
  /** Links that lead nowhere, where links are followed. */
  readonly broken: readonly string[];
}

interface Found {
  readonly images: string[];
  readonly folders: string[];
  readonly others: Map<string, number>;
  readonly links: string[];
  readonly broken: string[];
}

/** Folders that archivers and file systems leave behind. */
const strayFolders = ['__MACOSX', '@eaDir', '$RECYCLE.BIN', 'System Volume Information', 'lost+found'];
/** Files that are not opened to see whether they are images. */
const otherEndings =
  /\.(txt|json[l5]?|csv|tsv|xml|ya?ml|md|rst|html?|db|ini|log|py|ipynb|np[yz]|pkl|pth?|mat|h5|zip|tar|gz|tgz|7z|rar|mp4|avi|mov|mp3|wav|caption|safetensors|lock)$/i;

export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** @throws {DataError} when a folder cannot be read */
export async function scanFolder(folder: string, options: ScanOptions): Promise<FolderScan> {
  const found: Found = { images: [], folders: [], others: new Map(), links: [], broken: [] };
  await scan(folder, '', options, found, []);
  for (const paths of [found.images, found.folders, found.links, found.broken]) paths.sort(byName);
  return found;
}

/** @param above the true paths of the folders that this one lies in, by which a circle of links is noticed */
async function scan(
  root: string,
  path: string,
  options: ScanOptions,
  found: Found,
  above: readonly string[],
): Promise<void> {
  const folder = join(root, path);
  const within = options.followLinks ? [...above, await realpath(folder).catch(() => folder)] : above;
  for (const entry of await entriesOf(folder)) {
    const name = path === '' ? entry.name : `${path}/${entry.name}`;
    const kind = await kindOf(entry, join(root, name), options);
    if (kind === 'link') found.links.push(name);
    else if (kind === 'broken' && !isNamedAsImage(name)) found.broken.push(name);
    else if (entry.name.startsWith('.') || strayFolders.includes(entry.name)) pass(found, entry.name);
    else if (kind === 'folder') {
      const isCircle = entry.isSymbolicLink() && within.includes(await realpath(join(root, name)));
      if (isCircle) found.links.push(name);
      else {
        found.folders.push(name);
        await scan(root, name, options, found, within);
      }
    } else if ((kind === 'file' || kind === 'broken') && (await isImage(join(root, name))))
      found.images.push(name);
    else pass(found, extname(entry.name).toLowerCase() || entry.name);
  }
}

function pass({ others }: Found, what: string): void {
  others.set(what, (others.get(what) ?? 0) + 1);
}

/** A link to nothing that has the name of an image is taken for one, and then has an error. Devices and pipes are never opened. */
async function kindOf(
  entry: Dirent,
  path: string,
  { followLinks }: ScanOptions,
): Promise<'file' | 'folder' | 'link' | 'broken' | 'other'> {
  if (entry.isSymbolicLink()) {
    if (!followLinks) return 'link';
    const target = await stat(path).catch(() => undefined);
    if (target === undefined) return 'broken';
    if (target.isFile()) return 'file';
    return target.isDirectory() ? 'folder' : 'other';
  }
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'other';
}

async function isImage(path: string): Promise<boolean> {
  if (isNamedAsImage(path)) return true;
  if (otherEndings.test(path)) return false;
  const beginning = await beginningOf(path).catch(() => undefined);
  return beginning !== undefined && imageKindOf(beginning) !== undefined;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw describeFileError(folder, error, 'a folder of images');
  }
}
