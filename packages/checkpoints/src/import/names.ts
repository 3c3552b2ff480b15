/**
 * Names of tensors, made comparable: code bases join keys by dots, readers by slashes, and what wraps a module in training
 * (`torch.compile`, DistributedDataParallel, a module that was pickled whole) stands somewhere among them.
 */

/** Segments that wrappers add at any depth. */
const WRAPPERS = new Set([
  '_orig_mod', // torch.compile
  'module', // DataParallel, DistributedDataParallel, AveragedModel
  '_fsdp_wrapped_module', // FullyShardedDataParallel
  '_checkpoint_wrapped_module', // activation checkpointing
  '_forward_module', // DeepSpeed and Lightning Fabric
  '_modules', // attributes of a pickled module
  '_parameters',
  '_buffers',
]);

/** A tensor's name in one form. */
export interface ComparableName {
  /** Its keys joined by slashes, those of wrappers left out. */
  readonly text: string;
  /** What is before the last `keys` keys of `text`, as the checkpoint writes it and without a separator at its end. */
  before(keys: number): string;
}

/** Keys joined by slashes. */
export function slashed(name: string): string {
  return name.replaceAll('.', '/');
}

function comparable(name: string, keepsWrappers: boolean): ComparableName {
  const kept: { readonly key: string; readonly end: number }[] = [];
  let at = 0;
  for (const key of name.split(/[./]/)) {
    if (keepsWrappers || !WRAPPERS.has(key)) kept.push({ key, end: at + key.length });
    at += key.length + 1;
  }
  return {
    text: kept.map(({ key }) => key).join('/'),
    before: (keys) => name.slice(0, kept.at(-keys - 1)?.end ?? 0),
  };
}

/**
 * The names of a checkpoint's tensors in one form. Where two become one (`model/a` beside `module/model/a`), the wrappers tell them
 * apart and stay.
 */
export function comparableNames(names: readonly string[]): readonly ComparableName[] {
  const counts = new Map<string, number>();
  const stripped = names.map((name) => comparable(name, false));
  for (const { text } of stripped) counts.set(text, (counts.get(text) ?? 0) + 1);
  return stripped.map((each, i) => (counts.get(each.text) === 1 ? each : comparable(names[i]!, true)));
}
