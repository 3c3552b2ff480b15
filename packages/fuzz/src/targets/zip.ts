/** Zip archives, every entry of which is unpacked. */
import { bytesAccess, openZip } from '@meanflow/formats';
import { zipSync } from 'fflate';
import type { Seed, Target } from '../target.js';

const read = async (bytes: Uint8Array): Promise<void> => {
  const archive = await openZip(bytesAccess(bytes, 'seed.zip'));
  for (const entry of archive.entries) {
    const pieces = archive.content(entry)[Symbol.asyncIterator]();
    while (!(await pieces.next()).done);
  }
};

export const zip: Target = {
  name: 'zip',
  words: ['PK\u0001\u0002', 'PK\u0003\u0004', 'PK\u0005\u0006', 'PK\u0006\u0006', 'PK\u0006\u0007'],
  seeds: (): Seed[] => {
    const content = new TextEncoder().encode('some text, some text, some text');
    const files = { 'a.txt': content, 'b/c.txt': content.slice(0, 5), empty: new Uint8Array(0) };
    const mtime = new Date(1990, 0, 1);
    return [
      { name: 'stored', bytes: zipSync(files, { level: 0, mtime }), read },
      { name: 'deflated', bytes: zipSync(files, { level: 9, mtime, comment: 'a comment' }), read },
    ];
  },
};
