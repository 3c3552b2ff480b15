/** The command, saying on its error stream which modules it loads. */
import { register } from 'node:module';

const hook = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  writeSync(2, 'loaded ' + url + '\\n');
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
await import('../../src/main.ts');
