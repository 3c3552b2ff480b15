/** `@meanflow/classifier`: a small image classifier, trained by meanflow itself, whose accuracy and features judge samples. */
export {
  classifierNetwork,
  type ClassifierConfig,
  type ClassifierNetwork,
  type ClassifierOutputs,
  type ClassifierParameters,
} from './network.js';
export { type LabelledImages } from './objective.js';
export {
  classifierRequest,
  trainClassifier,
  type ClassifierRequest,
  type ClassifierTrainingOptions,
  type LabelledSource,
  type SourceImages,
} from './train.js';
export { Classifier, type ClassifierModel, type ClassifierOptions } from './classifier.js';
export { decodeClassifier, encodeClassifier, readClassifier } from './file.js';
