/**
 * An objective as it is written down, and its entry in the registry, with everything that commands and reports say of it. Who
 * writes one says what is drawn and what the loss is; the rest is derived, or has a default.
 */
import { ArgumentError } from '@meanflow/core';
import { checkFields, quoted, type FieldKinds } from '@meanflow/core/validation';
import type { IntervalSampler } from '@meanflow/samplers';
import { kindSettings, type KindSettings, type SettingsSchema } from '../schema.js';
import type { AdaptiveWeight } from './adaptive-weight.js';
import type { Coupling } from './coupling.js';
import { droppedConditions, type ConditionDrop } from './condition-drop.js';
import { methodColours, type Colours } from './colours.js';
import { drawsOfRows } from './shared.js';
import type { AnyObjective, AnyObjectiveConfig, ConfiguredObjective } from './velocity-objective.js';

/** What recipes vary of every objective. */
export interface ObjectiveSettings {
  readonly intervals: IntervalSampler;
  readonly weight: AdaptiveWeight;
  /** How noise is paired with data; absent in recipes that leave it independent. */
  readonly coupling?: Coupling | undefined;
}

/** An objective as it is written down: what is left out follows from the rest. */
export interface ObjectiveDefinition<Config extends AnyObjectiveConfig = AnyObjectiveConfig> {
  /** The kind, by which it is chosen as a method. */
  readonly name: string;
  /** The name in words, by default. */
  readonly title?: string;
  /** What it does, for a list. */
  readonly description?: string;
  /** What it learns, in a sentence for readers of a comparison; the description by default. */
  readonly learns?: string;
  /** Where it was published. */
  readonly source?: string;
  /** Of its curves and samples, as `#rrggbb`, on a light ground and on a dark one; the next of a palette by default. */
  readonly colours?: Colours;
  /** Of its configuration; any plain JSON by default. */
  readonly settings?: SettingsSchema;
  /**
   * How its samples are made: in few steps over whole intervals (`average-velocity`), which is the default, or by a solver that
   * integrates the velocity and needs many.
   */
  readonly solver?: 'average-velocity' | 'euler';
  /**
   * What is drawn and what the loss is. Draws have the batch's rows first, and scalars are for all of them, unless `rowsOf` says
   * otherwise.
   *
   * @param config with its defaults
   * @throws {ArgumentError} when a field of `config` is out of range
   */
  create(config: Config): AnyObjective;
  /** Its configuration within a recipe; all of its defaults, by default. */
  inRecipe?(settings: ObjectiveSettings): object;
  /**
   * Whether a network that was trained so can be guided by itself without the class (classifier-free). By default where it is
   * integrated and has a `labelDrop`.
   */
  isClassifierFree?(config: Config): boolean;
  /** Conditions that it trains without at times, so that a network takes them as optional ones: by default its `conditionDrop`. */
  optionalConditions?(config: Config): readonly string[];
}

/** What an objective is, in the registry: a method by which networks are trained. */
export interface ObjectiveEntry extends Required<
  Pick<ObjectiveDefinition, 'name' | 'title' | 'description' | 'learns' | 'solver' | 'colours'>
> {
  readonly source: string | undefined;
  readonly settings: KindSettings;
  /** @throws {ArgumentError} when a field of `config` is out of range */
  create(config: AnyObjectiveConfig): ConfiguredObjective;
  inRecipe(settings: ObjectiveSettings): AnyObjectiveConfig;
  isClassifierFree(config: AnyObjectiveConfig): boolean;
  optionalConditions(config: AnyObjectiveConfig): readonly string[];
}

const fields: FieldKinds<ObjectiveDefinition> = {
  name: 'text',
  title: 'text?',
  description: 'text?',
  learns: 'text?',
  source: 'text?',
  colours: 'object?',
  settings: 'any?',
  solver: 'text?',
  create: 'function',
  inRecipe: 'function?',
  isClassifierFree: 'function?',
  optionalConditions: 'function?',
};

/**
 * @param place how many objectives there are before it
 * @throws {ArgumentError} when what is written down is no objective
 */
export function completeObjective(definition: ObjectiveDefinition, place: number): ObjectiveEntry {
  const { name, title = titleOf(name), solver = 'average-velocity', source } = definition;
  checkFields(`The objective ${quoted(name)}`, definition, fields);
  const { description = '', learns = description, colours = methodColours(place) } = definition;
  checkColours(name, colours);
  const settings = kindSettings(name, definition.settings);
  const complete = (config: object): CommonSettings => ({ kind: name, ...settings.complete(config) });
  const { isClassifierFree, optionalConditions } = definition;
  return {
    ...{ name, title, description, learns, source, solver, colours, settings },
    create: (config) => {
      const made = definition.create(complete(config));
      const { references, stages, couplesRows } = made;
      // Called on what was made, which may be of a class of its author's.
      return {
        ...{ name, config },
        ...(references && { references }),
        ...(stages && { stages }),
        ...(couplesRows !== undefined && { couplesRows }),
        draw: (given) => made.draw(given),
        loss: (given) => made.loss(given),
        rowsOf: (draws, rows) => made.rowsOf?.(draws, rows) ?? drawsOfRows(draws, rows),
      };
    },
    inRecipe: (common) => ({ kind: name, ...definition.inRecipe?.(common) }),
    isClassifierFree: (config) => {
      if (isClassifierFree !== undefined) return isClassifierFree(complete(config));
      return solver !== 'average-velocity' && complete(config).labelDrop !== undefined;
    },
    optionalConditions: (config) =>
      optionalConditions === undefined
        ? droppedConditions(complete(config).conditionDrop)
        : optionalConditions(complete(config)),
  };
}

/** Fields that mean the same in every objective that has them. */
interface CommonSettings extends AnyObjectiveConfig {
  readonly labelDrop?: object;
  readonly conditionDrop?: ConditionDrop;
}

/** `alpha-flow` is Alpha flow. */
function titleOf(name: string): string {
  const words = String(name).replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function checkColours(name: string, { light, dark }: Colours): void {
  if ([light, dark].every((colour) => /^#[0-9a-f]{6}$/i.test(colour))) return;
  throw new ArgumentError(`The objective ${quoted(name)}: colours are { light, dark }, each as #rrggbb.`);
}
