/**
 * Text that lies where a download or a checkout should have put a file of data: a Git LFS pointer, a web page. Every reader says
 * so by name, since what its own format lacks in them would mislead.
 */

/** Bytes that are looked at. */
export const STAND_IN_BYTES = 64;

const standIns: readonly (readonly [begins: RegExp, what: string])[] = [
  [
    /^version https:\/\/git-lfs/,
    'a Git LFS pointer, not the file that it points to (`git lfs pull` fetches it)',
  ],
  [/^(\xef\xbb\xbf)?\s*<(!doctype html|html|head)/i, 'a web page'],
];

/** What stands in for a file, with its article; undefined where its beginning is neither. @param head the file's beginning */
export function standInOf(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, STAND_IN_BYTES));
  return standIns.find(([begins]) => begins.test(text))?.[1];
}
