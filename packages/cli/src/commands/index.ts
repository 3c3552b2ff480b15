/** The commands by name, in the order of the help. */
import type { CommandEntry } from './command.js';

export const commands: readonly CommandEntry[] = [
  {
    name: 'compare',
    usage: '[options]',
    summary: 'train all methods side by side and write a report',
    takesPlugins: true,
    load: async () => (await import('./compare.js')).describeCompare,
  },
  {
    name: 'train',
    usage: '[options]',
    summary: 'train one model',
    takesPlugins: true,
    load: async () => (await import('./train.js')).describeTrain,
  },
  {
    name: 'sample',
    usage: '[options] <run>',
    summary: 'draw samples from a trained model',
    takesPlugins: true,
    load: async () => (await import('./sample.js')).describeSample,
  },
  {
    name: 'save',
    usage: '[options] <run>',
    summary: 'write a model alone, without the state of its training',
    takesPlugins: true,
    load: async () => (await import('./save.js')).describeSave,
  },
  {
    name: 'export',
    usage: '[options] <model>',
    summary: 'write a sampler as one ONNX file',
    takesPlugins: true,
    load: async () => (await import('./export.js')).describeExport,
  },
  {
    name: 'evaluate',
    usage: '[options] <run>',
    summary: 'measure the samples of a trained model',
    takesPlugins: true,
    load: async () => (await import('./evaluate.js')).describeEvaluate,
  },
  {
    name: 'train-classifier',
    usage: '[options]',
    summary: 'train the classifier that judges images',
    takesPlugins: true,
    load: async () => (await import('./train-classifier.js')).describeTrainClassifier,
  },
  {
    name: 'statistics',
    usage: '[options] <data>',
    summary: 'write the reference statistics that FID compares with',
    takesPlugins: true,
    load: async () => (await import('./statistics.js')).describeStatistics,
  },
  {
    name: 'import',
    usage: '[options] <checkpoint>',
    summary: 'take a published checkpoint',
    load: async () => (await import('./import.js')).describeImport,
  },
  {
    name: 'info',
    usage: '[options] [run]',
    summary: 'describe a run, or list what there is',
    takesPlugins: true,
    load: async () => (await import('./info.js')).describeInfo,
  },
  {
    name: 'doctor',
    summary: 'say what can run here, and why the rest cannot',
    takesPlugins: true,
    load: async () => (await import('./doctor.js')).describeDoctor,
  },
  {
    name: 'conformance',
    usage: '[options]',
    summary: 'prove that a backend computes what it should',
    takesPlugins: true,
    load: async () => (await import('./conformance.js')).describeConformance,
  },
  {
    name: 'parity',
    usage: '[options] <folder>',
    summary: 'compare with tensors that published code computed',
    takesPlugins: true,
    load: async () => (await import('./parity.js')).describeParity,
  },
];
