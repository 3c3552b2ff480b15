/** Every module of the package can be the first to be imported: none needs another to have been loaded before it. */
import { readdirSync } from 'node:fs';
import { jest } from '@jest/globals';

const source = new URL('../src/', import.meta.url);
const modules = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'));

test('the package has modules', () => expect(modules).toContain('ops/table.ts'));

test.each(modules)('%s', async (name) => {
  jest.resetModules();
  await import(`../src/${name.replace(/\.ts$/, '.js')}`);
});
