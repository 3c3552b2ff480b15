/**
 * Lets a child process, and the threads that it starts, run the TypeScript of this workspace from source, without a build:
 * `node --conditions @meanflow/source --import <this file> program.ts`
 */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
