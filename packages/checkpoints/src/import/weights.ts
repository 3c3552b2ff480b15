/**
 * The sets of weights in a checkpoint: a training state holds the parameters themselves, averages of them, and an
 * optimizer's moments, all under the same names below different keys. Names are compared in one form, and a common first part
 * (`net`) may carry the average's name instead (`net_ema`), or be absent, as in the published code.
 */
import { leading } from '@meanflow/core/validation';
import type { PublishedParameter } from '@meanflow/models/published';
import type { Catalogue, StoredTensor } from '@meanflow/formats';
import { comparableNames, slashed } from './names.js';

export interface WeightSet {
  /** What it is called: the keys before the parameters' own, as in `ema_params/net` or `model/net_ema`. */
  readonly label: string;
  /** Its tensors by published name. */
  readonly found: ReadonlyMap<string, StoredTensor>;
  /** Published names that it lacks. */
  readonly missing: readonly string[];
  /** Tensors below the same keys that were not asked for. */
  readonly leftOver: readonly StoredTensor[];
  /** The tensor of a published name that is no parameter's, such as a constant's. */
  beside(published: string): StoredTensor | undefined;
  /** Where a published name is looked for, in the form of `comparableNames`. */
  placeOf(published: string): string;
}

/** Keys of an optimizer's state, whose moments have the names of parameters. */
const OPTIMIZER =
  /(^|[/.])(opt|opt_state|optimizer|optimizers|optimizer_state|optimizer_states|optim|mu|nu|exp_avg|exp_avg_sq)([/.]|$)/;
/** How the name of an average looks; an `online_model` is what an average was made of, and lies beside it. */
const AVERAGE = /(^|[/._])ema(?!.*[/.]online_model([/.]|$))/i;
/** What a set is called whose names have nothing before them. */
const TOP = 'weights';

/**
 * The sets that hold some of the parameters, those with most of them first.
 *
 * @param parameters under the names of one code base
 */
export function findWeights(
  { tensors }: Catalogue,
  parameters: readonly PublishedParameter[],
): readonly WeightSet[] {
  const names = parameters.map(({ name }) => slashed(name));
  const root = commonRoot(names);
  const rests = names.map((name) => name.slice(root.length));
  const comparable = comparableNames(tensors.map(({ name }) => name));
  const byName = new Map(comparable.map(({ text }, i) => [text, i]));
  const restOf = (published: string): string => {
    const name = slashed(published);
    return name.startsWith(root) ? name.slice(root.length) : name;
  };
  const wanted = new Set(rests);
  const prefixes = new Map<string, string>();
  for (const { text, before } of comparable) {
    // Any beginning that leaves a wanted name.
    for (let at = 0; at >= 0; at = text.indexOf('/', at) + 1 || -1) {
      const prefix = text.slice(0, at);
      if (!prefixes.has(prefix) && wanted.has(text.slice(at)))
        prefixes.set(prefix, before(text.slice(at).split('/').length));
    }
  }
  const sets = [...prefixes]
    .filter(([prefix]) => !OPTIMIZER.test(prefix))
    .map(([prefix, label]): WeightSet => {
      const tensorOf = (name: string): StoredTensor | undefined => {
        const index = byName.get(prefix + name);
        return index === undefined ? undefined : tensors[index];
      };
      const found = new Map<string, StoredTensor>();
      parameters.forEach(({ name }, i) => {
        const tensor = tensorOf(rests[i]!);
        if (tensor !== undefined) found.set(name, tensor);
      });
      const used = new Set(found.values());
      return {
        label: label || TOP,
        found,
        missing: parameters.filter(({ name }) => !found.has(name)).map(({ name }) => name),
        leftOver: tensors.filter((tensor, i) => comparable[i]!.text.startsWith(prefix) && !used.has(tensor) && (prefix !== '' || !OPTIMIZER.test(tensor.name))),
        beside: (published) => tensorOf(restOf(published)),
        placeOf: (published) => prefix + restOf(published),
      }; // prettier-ignore
    });
  return sets.sort((a, b) => a.missing.length - b.missing.length || (a.label < b.label ? -1 : 1));
}

/** Whether a set is an average. */
export function isAverage({ label }: Pick<WeightSet, 'label'>): boolean {
  return AVERAGE.test(label);
}

/** Whether a set lies in the state of an average, and is none. */
export function isBesideAverage({ label }: Pick<WeightSet, 'label'>): boolean {
  return !AVERAGE.test(label) && /(^|[/._])ema/i.test(label);
}

/** The first part of all names with its slash, or nothing. */
function commonRoot(names: readonly string[]): string {
  const [first] = leading(names, 1);
  const root = first.slice(0, first.indexOf('/') + 1);
  return names.every((name) => name.startsWith(root)) ? root : '';
}
