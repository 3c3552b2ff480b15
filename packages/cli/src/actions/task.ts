/** What `--given`, `--task` and `--condition` ask for, as a configuration has it. */
import { resolve } from 'node:path';
import { ArgumentError, checkChoice } from '@meanflow/core';
import { maskKinds, type MaskKind } from '@meanflow/data';
import type { RunConfig } from '@meanflow/runs/node';
import type { TaskOptions } from '../commands/task-options.js';

/** The task; undefined where none was given. @throws {ArgumentError} when there is no such task */
export function taskOf({ given, task, condition }: TaskOptions): RunConfig['task'] {
  if (given !== undefined && task !== undefined) {
    throw new ArgumentError('--given is a task of tables, and --task one of images: give one of them.');
  }
  if (condition !== undefined) {
    if ((given ?? task) !== undefined) {
      throw new ArgumentError('--condition is a task of its own: leave out --given and --task.');
    }
    return { kind: 'beside', images: besideOf(condition) };
  }
  if (given !== undefined) return { kind: 'given', columns: [...given] };
  if (task === undefined) return undefined;
  const [kind = '', detail] = task.split(':');
  checkChoice('--task', kind, ['inpaint', 'super-resolution']);
  if (kind === 'inpaint') {
    if (detail !== undefined) checkChoice('--task inpaint', detail, maskKinds);
    return { kind, ...(detail === undefined ? {} : { mask: detail as MaskKind }) };
  }
  return { kind: 'super-resolution', ...(detail === undefined ? {} : { factor: Number(detail) }) };
}

/** Paths by name. They are kept whole: a run is gone on with from anywhere. */
function besideOf(condition: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const each of condition) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(each) ?? [];
    if (name === undefined || path === undefined) {
      throw new ArgumentError(`--condition: expected name=path, such as sketch=sketches, got "${each}".`);
    }
    if (Object.hasOwn(found, name)) throw new ArgumentError(`--condition: "${name}" is given twice.`);
    found[name] = resolve(path);
  }
  return found;
}
