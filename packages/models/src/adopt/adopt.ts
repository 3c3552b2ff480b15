/**
 * Warm start: parameters of one network fitted to another of the same kind, by what they are for and by their shapes. What both
 * networks have is taken as it is, bit for bit, rows of tables and of first layers by what they belong to; what is new begins at
 * zero where the network then computes what it did, as a copy where it is a second head, and as in a new network otherwise.
 */
import {
  ArgumentError,
  HostArray,
  sameShape,
  sizeOf,
  treeFlatten,
  treePaths,
  type RandomKey,
  type Shape,
  type Tree,
} from '@meanflow/core';
import type { ParameterTree } from '@meanflow/samplers';
import type { AnyNetwork, AnyNetworkConfig } from '../networks/network.js';
import { networks } from '../networks/registry.js';
import type { ParameterRole, ParameterRoles, RoleFacts, RowGroup } from './roles.js';

/** Parameters to begin with, and what is known of them. */
export interface GivenParameters extends RoleFacts {
  /** The configuration of their network. */
  readonly config: AnyNetworkConfig;
  readonly params: ParameterTree;
}

export interface AdoptOptions extends RoleFacts {
  /** Makes what is new: the values that `network.init(key)` has. */
  readonly key: RandomKey;
}

/** What new values are: those of a new network, or zero. */
type NewValues = NonNullable<ParameterRole['otherwise']>;

/** How a parameter of the new network came to be. */
export type Origin =
  | { readonly how: 'taken' }
  /** Groups of rows that were there, that are new, and of the given parameter that found no place. */
  | {
      readonly how: 'by rows';
      readonly taken: readonly string[];
      readonly made: readonly string[];
      readonly left: readonly string[];
      readonly values: NewValues;
    }
  /** A copy of another one, by its path among the given parameters. */
  | { readonly how: 'copied'; readonly from: string }
  /** New; `given` is the shape that there was, where that would not do. */
  | { readonly how: 'made'; readonly values: NewValues; readonly given?: Shape };

/** A parameter of the new network. */
export interface AdoptedParameter {
  readonly path: string;
  readonly shape: Shape;
  readonly origin: Origin;
}

/** What became of given parameters in a network. */
export interface AdoptionReport {
  readonly parameters: readonly AdoptedParameter[];
  /** Paths of given parameters that nothing was taken from. */
  readonly left: readonly string[];
  /** Settings that differ and change what parameters mean, though not their shapes. */
  readonly settings: readonly { readonly name: string; readonly given: unknown; readonly now: unknown }[];
}

type Parameter = HostArray<'float32'>;

/** A given parameter. */
interface Given {
  readonly path: string;
  readonly array: Parameter;
  readonly rows: readonly RowGroup[] | undefined;
}

/**
 * @param network what is to be trained
 * @param given parameters of a network of the same kind
 * @returns parameters of the structure of `network.init(key)`, which share no memory with those given
 * @throws {ArgumentError} when the networks are of different kinds, or nothing of what is given fits
 */
export function adoptParameters(
  network: AnyNetwork,
  given: GivenParameters,
  { key, ...facts }: AdoptOptions,
): { readonly params: ParameterTree; readonly report: AdoptionReport } {
  const { config } = network;
  if (given.config.kind !== config.kind) {
    throw new ArgumentError(
      `The parameters are those of a network of kind "${given.config.kind}", and this one is of kind "${config.kind}".`,
    );
  }
  // Names on one side alone would be compared with numbers.
  const isNamed = given.classNames !== undefined && facts.classNames !== undefined;
  const there = givenByName(given, isNamed ? given : {});
  const roles = rolesOf(config, isNamed ? facts : {});
  const { leaves, structure } = treeFlatten<Parameter>(network.init(key) as Tree<Parameter>);
  const used = new Set<string>();
  const parameters: AdoptedParameter[] = [];
  const arrays = leaves.map((initial, i) => {
    const path = structure.paths[i]!;
    const role = roles(path) ?? {};
    const [array, origin, from] = fitted(initial, role, {
      own: there.get(role.name ?? path),
      like: role.like === undefined ? undefined : there.get(role.like),
    });
    if (from !== undefined) used.add(from.path);
    parameters.push({ path, shape: initial.shape, origin });
    return array;
  });
  if (used.size === 0) {
    throw new ArgumentError(
      `None of the parameters fits the network: they are those of ${JSON.stringify(given.config)}, and it is ${JSON.stringify(config)}.`,
    );
  }
  return {
    params: structure.unflatten(arrays) as ParameterTree,
    report: {
      parameters,
      left: [...there.values()].flatMap(({ path }) => (used.has(path) ? [] : [path])),
      settings: differingSettings(given.config, config),
    },
  };
}

/** Given parameters by what they are known by. */
function givenByName({ config, params }: GivenParameters, facts: RoleFacts): ReadonlyMap<string, Given> {
  const roles = rolesOf(config, facts);
  return new Map(
    treePaths<HostArray>(params as Tree<HostArray>).map(({ path, leaf }) => {
      const { name = path, rows } = roles(path) ?? {};
      return [name, { path, array: leaf.to('float32'), rows }];
    }),
  );
}

/** One parameter: its values, how it came by them, and what they were taken from. */
function fitted(
  initial: Parameter,
  { rows, axis = 0, otherwise: values = 'initial' }: ParameterRole,
  { own, like }: { readonly own: Given | undefined; readonly like: Given | undefined },
): readonly [Parameter, Origin, Given?] {
  const { shape } = initial;
  if (own !== undefined) {
    if (rows !== undefined && own.rows !== undefined) {
      const parts = byRows(initial, { rows, axis, values }, own.array, own.rows);
      if (parts !== undefined) return [...parts, own];
    } else if (sameShape(own.array.shape, shape)) return [own.array.clone(), { how: 'taken' }, own];
    // In another shape the function is not kept anyway, and zero would only slow the beginning.
    return [initial, { how: 'made', values: 'initial', given: own.array.shape }];
  }
  if (like !== undefined && sameShape(like.array.shape, shape)) {
    return [like.array.clone(), { how: 'copied', from: like.path }, like];
  }
  return [values === 'zero' ? zeros(shape) : initial, { how: 'made', values }];
}

/** By groups of rows along an axis; undefined where no group is in both, or the other axes differ. */
function byRows(
  initial: Parameter,
  {
    rows,
    axis,
    values,
  }: { readonly rows: readonly RowGroup[]; readonly axis: number; readonly values: NewValues },
  given: Parameter,
  givenRows: readonly RowGroup[],
): readonly [Parameter, Origin] | undefined {
  const others = (shape: Shape): Shape => shape.filter((_, at) => at !== axis);
  if (!sameShape(others(given.shape), others(initial.shape))) return undefined;
  const [outer, rowSize] = [sizeOf(initial.shape.slice(0, axis)), sizeOf(initial.shape.slice(axis + 1))];
  const [stride, givenStride] = [initial.size / outer, given.size / outer];
  const places = placesOf(givenRows);
  const array = values === 'zero' ? zeros(initial.shape) : initial.clone();
  const [taken, made]: [string[], string[]] = [[], []];
  for (const [name, { start, size }] of placesOf(rows)) {
    const place = places.get(name);
    if (place?.size !== size) {
      made.push(name);
      continue;
    }
    taken.push(name);
    for (let block = 0; block < outer; block++) {
      const from = block * givenStride + place.start * rowSize;
      array.data.set(given.data.subarray(from, from + size * rowSize), block * stride + start * rowSize);
    }
  }
  if (taken.length === 0) return undefined;
  const left = givenRows.map(({ name }) => name).filter((name) => !taken.includes(name));
  const isWhole = made.length === 0 && left.length === 0;
  return [array, isWhole ? { how: 'taken' } : { how: 'by rows', taken, made, left, values }];
}

/** Where each group begins. */
function placesOf(
  rows: readonly RowGroup[],
): ReadonlyMap<string, { readonly start: number; readonly size: number }> {
  let end = 0;
  return new Map(rows.map(({ name, size }) => [name, { start: (end += size) - size, size }]));
}

function zeros(shape: Shape): Parameter {
  return new HostArray('float32', shape, new Float32Array(sizeOf(shape)));
}

/** The roles of a network's parameters, as its kind says them. */
function rolesOf(config: AnyNetworkConfig, facts: RoleFacts): ParameterRoles {
  return networks.get(config.kind).roles?.(config, facts) ?? (() => undefined);
}

/** What shows in parameters themselves, or in nothing that they mean. */
const unlisted: readonly string[] = [
  'times', 'guidance', 'velocityHead', 'depth', 'headDepth', 'width', 'initialisation', 'zeroOutput', 'dropout', 'tokens',
]; // prettier-ignore

function differingSettings(given: AnyNetworkConfig, now: AnyNetworkConfig): AdoptionReport['settings'] {
  const complete = ({ featureShape: _, classCount: __, conditions: ___, ...settings }: AnyNetworkConfig) =>
    networks.get(settings.kind).settings.complete(settings);
  const [before, after] = [complete(given), complete(now)];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(
      (name) => !unlisted.includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
    )
    .map((name) => ({ name, given: before[name], now: after[name] }));
}
