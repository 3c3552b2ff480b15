/**
 * The sets of weights in a checkpoint: a training state holds the parameters themselves, averages of them, and an
 * optimizer's moments, all under the same names below different keys. Names are compared with dots and slashes alike, and
 * a common first part (`net`) may carry the average's name instead (`net_ema`), as in the published code.
 */
import type { PublishedParameter } from '@meanflow/models';
import type { Catalogue, StoredTensor } from '@meanflow/formats';

export interface WeightSet {
  /** What it is called: the keys before the parameters' own, as in `ema_params/net` or `model/net_ema`. */
  readonly label: string;
  /** Its tensors by published name. */
  readonly found: ReadonlyMap<string, StoredTensor>;
  /** Published names that it lacks. */
  readonly missing: readonly string[];
  /** Tensors below the same keys that were not asked for. */
  readonly leftOver: readonly StoredTensor[];
}

/** Keys of an optimizer's state, whose moments have the names of parameters. */
const OPTIMIZER = /(^|[/.])(opt|opt_state|optimizer|optimizer_state|mu|nu|exp_avg|exp_avg_sq)([/.]|$)/;
/** How the name of an average looks. */
const AVERAGE = /(^|[/._])ema/i;
/** What a set is called whose names have nothing before them. */
const TOP = 'weights';

const canonical = (name: string): string => name.replaceAll('.', '/');

/**
 * The sets that hold some of the parameters, those with most of them first.
 *
 * @param parameters under the names of one code base
 */
export function findWeights(
  { tensors }: Catalogue,
  parameters: readonly PublishedParameter[],
): readonly WeightSet[] {
  const names = parameters.map(({ name }) => canonical(name));
  const root = commonRoot(names);
  const rests = names.map((name) => name.slice(root.length));
  const byName = new Map(tensors.map((tensor) => [canonical(tensor.name), tensor]));
  const wanted = new Set(rests);
  const prefixes = new Set<string>();
  for (const name of byName.keys()) {
    // Any beginning that leaves a wanted name.
    for (let at = 0; at >= 0; at = name.indexOf('/', at) + 1 || -1) {
      if (wanted.has(name.slice(at))) prefixes.add(name.slice(0, at));
    }
  }
  const sets = [...prefixes]
    .filter((prefix) => !OPTIMIZER.test(prefix))
    .map((prefix): WeightSet => {
      const found = new Map<string, StoredTensor>();
      parameters.forEach(({ name }, i) => {
        const tensor = byName.get(prefix + rests[i]);
        if (tensor !== undefined) found.set(name, tensor);
      });
      const used = new Set(found.values());
      return {
        label: [...found.values()][0].name.slice(0, Math.max(0, prefix.length - 1)) || TOP,
        found,
        missing: parameters.filter(({ name }) => !found.has(name)).map(({ name }) => name),
        leftOver: tensors.filter((tensor) => canonical(tensor.name).startsWith(prefix) && !used.has(tensor) && (prefix !== '' || !OPTIMIZER.test(tensor.name))),
      }; // prettier-ignore
    });
  return sets.sort((a, b) => a.missing.length - b.missing.length || (a.label < b.label ? -1 : 1));
}

/** Whether a set is an average. */
export function isAverage({ label }: Pick<WeightSet, 'label'>): boolean {
  return AVERAGE.test(label);
}

/** The first part of all names with its slash, or nothing. */
function commonRoot(names: readonly string[]): string {
  const [first] = names;
  const root = first.slice(0, first.indexOf('/') + 1);
  return names.every((name) => name.startsWith(root)) ? root : '';
}
