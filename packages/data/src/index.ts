/**
 * `@meanflow/data`: distributions of the plane, coloured shapes, images, latents, real data sets and CSV tables, all as
 * one `Dataset`. Nothing here reads files: see `@meanflow/data/node`.
 */
export { featureNames, type Batch, type DataCondition, type Dataset, type Split } from './dataset.js';
export { withTask, type DataTask } from './conditions/task.js';
export { GIVEN, givenColumns } from './conditions/given-columns.js';
export { inpainting, restoreKnown, superResolution } from './conditions/image-tasks.js';
export { maskKinds, type MaskKind } from './conditions/masks.js';
export { countClasses, proportionalLabels } from './class-labels.js';
export { describeData } from './describe.js';
export { type Support } from './support.js';
export {
  denormalise,
  noNormalisation,
  normalisationFromJson,
  normalise,
  rangeNormalisation,
  type Normalisation,
  type NormalisationKind,
} from './normalisation.js';
export * from './distributions/index.js';
export { distributionDataset } from './distribution-dataset.js';
export {
  drawnDataset,
  type DrawnBatch,
  type DrawnCondition,
  type DrawnDatasetOptions,
} from './drawn-dataset.js';
export { rowsDataset, type RowsCondition, type RowsDatasetOptions } from './rows-dataset.js';
export { delimiterOf } from './tables/dialect.js';
export {
  parseTable,
  TableReader,
  type Table,
  type TableColumn,
  type TableOptions,
  type TableReading,
} from './table.js';
export type { SplitOptions } from './split.js';
export { tableDataset, type TableDatasetOptions } from './table-dataset.js';
export { digitsDataset } from './digits.js';
export { fashionDataset } from './fashion.js';
export { type ImageLayout, type ImageShape } from './images/layout.js';
export { type AugmentationOptions } from './images/augmentation.js';
export { imageDataset, type ImageDatasetOptions, type ImageOptions } from './images/image-dataset.js';
export { imageRows, type ImageRows } from './images/image-rows.js';
export { idxImages, type NamedBytes } from './images/idx.js';
export { cifarImages, type CifarLabels } from './images/cifar.js';
export { encodePng, imageBytes } from './images/image-bytes.js';
export { imageGrid, imageSheet, type SheetOptions, type SheetRow } from './images/sheet.js';
export { centreCrop, resize, type ResizeFilter } from './images/resize.js';
export { type Pixels } from './images/pixels.js';
export { UnreadableImage } from './images/unreadable-image.js';
export { decodeInBrowser } from './images/decode-in-browser.js';
export {
  latentDataset,
  type LatentArrays,
  type LatentOptions,
  type LatentScale,
} from './latents/latent-dataset.js';
export { type LatentForm } from './latents/latent-form.js';
export { type LabelMeaning } from './latents/array-labels.js';
export {
  arrayDataset,
  type ArrayMeaning,
  type ArrayOptions,
  type FileArrays,
} from './latents/array-dataset.js';
export { samplesForm, pictureShapeOf, type PictureForm, type PictureRange } from './images/array-images.js';
export { shapeClasses, type ShapeClass } from './shapes/classes.js';
export { shapesDataset, type ShapesOptions } from './shapes/shapes-dataset.js';
export { wineDataset } from './wine.js';
export {
  csvDataset,
  datasets,
  openDataset,
  type CsvDatasetOptions,
  type DatasetDefinition,
  type DatasetEntry,
  type OpenOptions,
} from './open-dataset.js';
