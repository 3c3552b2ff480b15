/** An objective from its configuration. */
import { checkChoice } from '@meanflow/core';
import { flowMatching, type FlowMatchingConfig } from './flow-matching.js';
import { improvedMeanFlow, type ImprovedMeanFlowConfig } from './improved-meanflow.js';
import { meanFlow, type MeanFlowConfig } from './meanflow.js';
import type { VelocityObjective } from './velocity-objective.js';

/** The configuration of any objective, as plain JSON. */
export type ObjectiveConfig = FlowMatchingConfig | MeanFlowConfig | ImprovedMeanFlowConfig;

/** @throws {ArgumentError} when a field of `config` is out of range */
export function createObjective(config: ObjectiveConfig): VelocityObjective<ObjectiveConfig> {
  checkChoice('kind (of an objective)', config.kind, ['flow-matching', 'meanflow', 'improved-meanflow']);
  switch (config.kind) {
    case 'flow-matching':
      return flowMatching(config);
    case 'meanflow':
      return meanFlow(config);
    case 'improved-meanflow':
      return improvedMeanFlow(config);
  }
}
