/** `@meanflow/runs`: models that were trained or imported, opened and sampled from anywhere, a page included. */
export {
  openModel,
  OpenModel,
  type ModelSource,
  type OpenModelOptions,
  type SampleRequest,
  type Address,
} from './open-model.js';
export type { DataFacts, Labels, Generator, Model } from './experiment/model.js';
export type { SampleChoice, Samples } from './experiment/sample.js';
export { registerPlugin, type Plugin, type PluginFile } from './plugins/plugin.js';
export type { RunConfig, SamplingSettings } from './config/schema.js';
