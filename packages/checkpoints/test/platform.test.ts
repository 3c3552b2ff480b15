/** The parsers run wherever bytes can be had: in a browser too. */
import { readdirSync, readFileSync } from 'node:fs';
import { blobAccess, readTensor } from '@meanflow/formats';
import { openCheckpointFile } from '../src/index.js';

it('only the Node entry imports anything of Node', () => {
  const folder = new URL('../src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const importing = files.filter((name) =>
    /from '(node:|\.\/node|\.\.\/node|@meanflow\/training\/node)/.test(
      readFileSync(new URL(name, folder), 'utf8'),
    ),
  );
  expect(files).toContain('index.ts');
  expect(importing.filter((name) => !/^node(\.ts|[\\/])/.test(name))).toEqual([]);
  expect(importing).not.toEqual([]);
});

it('a Blob is a source like any other', async () => {
  const file = readFileSync(new URL('./data/written/views.pt', import.meta.url));
  const { tensors } = await openCheckpointFile(blobAccess(new Blob([file]), 'views.pt'));
  const rows = tensors.find(({ name }) => name === 'rows')!;
  expect((await readTensor(rows)).shape).toEqual([2, 8]);
});
