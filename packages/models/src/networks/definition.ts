/**
 * A kind of network as it is written down, and its entry in the registry: everything that others must know of a network by its
 * configuration alone. Who writes one says what its parameters are and what it makes of them; the rest is derived.
 */
import { checkFields, quoted, type FieldKinds } from '@meanflow/core/validation';
import type { ParameterRoles, RoleFacts } from '../adopt/roles.js';
import type { PublishedBuffer, PublishedNames, PublishedSource } from '../published/published-parameter.js';
import { kindSettings, type KindSettings, type SettingsSchema } from '../schema.js';
import {
  composeNetwork,
  type AnyNetwork,
  type AnyNetworkConfig,
  type AnyNetworkParts,
  type NetworkFacts,
} from './network.js';

/** A kind of network as it is written down: what is left out follows from the rest. */
export interface NetworkDefinition<Config extends AnyNetworkConfig = AnyNetworkConfig> {
  /** The kind. */
  readonly name: string;
  /**
   * A configuration without what the data decide: the shape of a sample, the number of classes, the conditions. Any plain JSON
   * by default.
   */
  readonly settings?: SettingsSchema;
  /** Which fields say how wide and how deep it is (`--width`, `--depth`), where they are not called so. */
  readonly sizeFields?: { readonly width?: string; readonly depth?: string };
  /** How it takes images: `[height, width, channels]`, which is the default, or `[channels, height, width]`. */
  readonly layout?: 'nhwc' | 'nchw';
  /** Whether it sees features without their places, so that the order of an array's axes is nothing to it; false by default. */
  readonly isFlat?: boolean;
  /** Whether it can be told classes, as by default; every network can be told conditions. */
  readonly takesClasses?: boolean;
  /**
   * What is known of it before there is one. By default it takes guidance where `guidance` is true, has a head where there is a
   * `velocityHead`, and is as deep and wide as `depth` and `width` say.
   *
   * @param settings with their defaults
   */
  facts?(settings: Omit<Config, 'featureShape' | 'classCount' | 'conditions'>): NetworkFacts;
  /**
   * @param config with its defaults, and with what the data decide
   * @throws {ArgumentError} when a field of `config` is out of range
   */
  create(config: Config): AnyNetworkParts;
  /** Who published networks of a configuration, and under which names; absent where nobody did. */
  publishedNames?(config: Config): Readonly<Partial<Record<PublishedSource, PublishedNames>>>;
  /** Constants that published code keeps beside its parameters. */
  publishedBuffers?(config: Config): readonly PublishedBuffer[];
  /**
   * Which parameters are matrices for Muon, by their paths. Of a network that was published, those that are matrices in the
   * published code; otherwise absent, and Muon is refused.
   */
  matrices?(config: Config): readonly string[];
  /**
   * What its parameters are for, so that a warm start finds them in another configuration of it; absent where their paths say it.
   *
   * @param facts what is known beside the configuration
   */
  roles?(config: Config, facts: RoleFacts): ParameterRoles;
}

/** What a network's kind is, in the registry. */
export interface NetworkEntry
  extends
    Required<Pick<NetworkDefinition, 'layout' | 'isFlat' | 'takesClasses'>>,
    Pick<
      NetworkDefinition,
      'name' | 'sizeFields' | 'publishedNames' | 'publishedBuffers' | 'matrices' | 'roles'
    > {
  readonly settings: KindSettings;
  /** @param settings as the schema has them, checked before */
  facts(settings: object): NetworkFacts;
  /** @throws {ArgumentError} when a field of `config` is out of range */
  create(config: AnyNetworkConfig): AnyNetwork;
}

const fields: FieldKinds<NetworkDefinition> = {
  name: 'text',
  settings: 'any?',
  sizeFields: 'object?',
  layout: 'text?',
  isFlat: 'flag?',
  takesClasses: 'flag?',
  facts: 'function?',
  create: 'function',
  publishedNames: 'function?',
  publishedBuffers: 'function?',
  matrices: 'function?',
  roles: 'function?',
};

/** @throws {ArgumentError} when what is written down is no network */
export function completeNetwork(definition: NetworkDefinition): NetworkEntry {
  const { name, layout = 'nhwc', isFlat = false, takesClasses = true, ...rest } = definition;
  checkFields(`The network ${quoted(name)}`, definition, fields);
  const settings = kindSettings(name, definition.settings);
  const facts = (given: object): NetworkFacts => {
    const complete = { kind: name, ...settings.complete(given) };
    return definition.facts?.(complete) ?? factsOf(complete);
  };
  return {
    ...rest,
    name,
    layout,
    isFlat,
    takesClasses,
    settings,
    facts,
    create: (config) => {
      const { featureShape, classCount, conditions, ...given } = config;
      const decided = {
        featureShape,
        ...(classCount !== undefined && { classCount }),
        ...(conditions && { conditions }),
      };
      const { takesGuidance, hasVelocityHead } = facts(given);
      const made = definition.create({ kind: name, ...settings.complete(given), ...decided });
      // Called on what was made, which may be of a class of its author's.
      return composeNetwork(config, {
        ...{ takesGuidance, hasVelocityHead, ...made },
        apply: (params, inputs) => made.apply(params, inputs),
        ...(made.drawDropout && { drawDropout: made.drawDropout.bind(made) }),
      });
    },
  };
}

/** The facts of a network whose fields are called as those of most. */
function factsOf(settings: {
  readonly kind: string;
  readonly depth?: unknown;
  readonly width?: unknown;
  readonly guidance?: unknown;
  readonly velocityHead?: unknown;
}): NetworkFacts {
  const { kind, depth, width, guidance, velocityHead } = settings;
  const sizes = [
    ...(typeof depth === 'number' ? [`${depth} deep`] : []),
    ...(typeof width === 'number' ? [`${width} wide`] : []),
  ];
  return {
    takesGuidance: guidance === true,
    hasVelocityHead: velocityHead !== undefined,
    description: [kind, ...sizes].join(', '),
  };
}
