/** The objectives by kind, which are the methods of the command, and an objective from its configuration. */
import { Registry, validate } from '@meanflow/core/validation';
import { kindSchema, settingsSchema } from '../schema.js';
import { flowMatchingEntry, type FlowMatchingConfig } from './flow-matching.js';
import { improvedMeanFlowEntry, type ImprovedMeanFlowConfig } from './improved-meanflow.js';
import { meanFlowEntry, type MeanFlowConfig } from './meanflow.js';
import { completeObjective, type ObjectiveDefinition, type ObjectiveEntry } from './definition.js';
import type { AnyObjectiveConfig, ConfiguredObjective } from './velocity-objective.js';

/** The configuration of any objective, as plain JSON: of this package, or of another that is registered. */
export type ObjectiveConfig =
  FlowMatchingConfig | MeanFlowConfig | ImprovedMeanFlowConfig | AnyObjectiveConfig;

/** Objectives by kind, in the order in which they are compared; others can be registered. */
export const objectives = new Registry<ObjectiveDefinition, ObjectiveEntry>(
  'objective of kind',
  [flowMatchingEntry, meanFlowEntry, improvedMeanFlowEntry],
  { complete: completeObjective },
);

/** @throws {ArgumentError} when a field of `config` is out of range, or its kind is unknown */
export function createObjective(config: ObjectiveConfig): ConfiguredObjective {
  return objectives.get(validate(kindSchema, config, 'An objective').kind).create(config);
}

/** The schema of the configuration of any objective that is registered now. */
export function objectiveSchema() {
  return settingsSchema([...objectives].map(({ settings }) => settings));
}
