/** What `--given` and `--task` ask for, as a configuration has it. */
import { ArgumentError, checkChoice } from '@meanflow/core';
import { maskKinds, type DataTask, type MaskKind } from '@meanflow/data';
import type { TaskOptions } from '../commands/task-options.js';

/** The task; undefined where none was given. @throws {ArgumentError} when there is no such task */
export function taskOf({ given, task }: TaskOptions): DataTask | undefined {
  if (given !== undefined && task !== undefined) {
    throw new ArgumentError('--given is a task of tables, and --task one of images: give one of them.');
  }
  if (given !== undefined) return { kind: 'given', columns: given };
  if (task === undefined) return undefined;
  const [kind = '', detail] = task.split(':');
  checkChoice('--task', kind, ['inpaint', 'super-resolution']);
  if (kind === 'inpaint') {
    if (detail !== undefined) checkChoice('--task inpaint', detail, maskKinds);
    return { kind, ...(detail === undefined ? {} : { mask: detail as MaskKind }) };
  }
  return { kind: 'super-resolution', ...(detail === undefined ? {} : { factor: Number(detail) }) };
}
