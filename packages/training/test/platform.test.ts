import { readdirSync, readFileSync } from 'node:fs';

it('only the Node entry imports anything of Node', () => {
  const folder = new URL('../src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const importing = files.filter((name) =>
    /from '(node:|\.\/node|\.\.\/node)/.test(readFileSync(new URL(name, folder), 'utf8')),
  );
  expect(files).toContain('index.ts');
  expect(importing.filter((name) => !/^node(\.ts|[\\/])/.test(name))).toEqual([]);
  expect(importing).not.toEqual([]);
});
