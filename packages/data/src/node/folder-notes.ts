/** What was understood of a folder of images and what was passed over in it, as phrases for people. */
import { type ImageListing } from './image-folder.js';
import { type FolderScan } from './scan-folder.js';

/** Files that a list names of many. */
const SHOWN = 10;

/** @param splits phrases about the folders of splits */
export function folderNotes(
  scan: FolderScan,
  listings: readonly ImageListing[],
  splits: readonly string[],
): readonly string[] {
  const { others, links, broken, folders } = scan;
  const total = [...others.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...others].map(([what, count]) => (count === 1 ? what : `${count} ${what}`));
  const empty = emptyFolders(scan);
  const loose = listings.reduce((sum, { looseImages }) => sum + looseImages, 0);
  const damaged = listings.reduce((sum, listing) => sum + listing.damaged.length, 0);
  return [
    ...splits,
    ...(total === 0 ? [] : [`${plural(total, 'other file')} passed over (${kinds.join(', ')})`]),
    ...(broken.length === 0 ? [] : [`${plural(broken.length, 'link')} to nothing passed over`]),
    ...(links.length === 0 ? [] : [`${plural(links.length, 'link')} not followed (--follow-links)`]),
    ...(empty.length === 0 || folders.length === 0
      ? []
      : [`no images in the ${empty.length === 1 ? 'folder' : 'folders'} ${listed(empty)}`]),
    ...(loose === 0 ? [] : [`${plural(loose, 'image')} beside the folders of classes left out`]),
    ...(damaged === 0 ? [] : [`${plural(damaged, 'damaged image')} left out`]),
  ];
}

/** Folders without an image somewhere in them, but for those within such ones. */
function emptyFolders({ folders, images }: FolderScan): readonly string[] {
  const full = new Set<string>();
  for (const image of images) {
    for (let end = image.lastIndexOf('/'); end >= 0; end = image.lastIndexOf('/', end - 1)) {
      const folder = image.slice(0, end);
      if (full.has(folder)) break;
      full.add(folder);
    }
  }
  const isEmpty = (folder: string): boolean => !full.has(folder);
  return folders.filter((folder) => {
    const end = folder.lastIndexOf('/');
    return isEmpty(folder) && (end < 0 || !isEmpty(folder.slice(0, end)));
  });
}

function listed(items: readonly string[]): string {
  const rest = items.length - SHOWN;
  return `${items.slice(0, SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function plural(count: number, thing: string): string {
  return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`;
}
