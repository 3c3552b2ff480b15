/**
 * Fashion-MNIST's test images: 10,000 pictures of clothes, 28×28 grey pixels in ten classes (Xiao, Rasul and Vollgraf, 2017,
 * arXiv 1708.07747, MIT licence). They are divided anew, into rows to learn from and rows to judge by, which share nothing. The whole
 * set is opened by the folder that its files are in.
 */
import { DataError } from '@meanflow/core';
import { type Dataset } from './dataset.js';
import { idxImages } from './images/idx.js';
import { imageDataset, type ImageOptions } from './images/image-dataset.js';

/** The files that hold the pictures and their labels, beside this package's ATTRIBUTION.md. */
export const FASHION_FILES = [
  'fashion-mnist/t10k-images-idx3-ubyte.gz',
  'fashion-mnist/t10k-labels-idx1-ubyte.gz',
] as const;

const SIDE = 28;

/** As the authors call them. */
const classNames = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/**
 * The pictures as a dataset: `[28, 28, 1]` or `[1, 28, 28]` in [−1, 1], ten classes; 8,000 rows to learn from and 2,000 to judge by,
 * as many of each class, unless the options say otherwise.
 *
 * @param images the content of `t10k-images-idx3-ubyte.gz`
 * @param labels the content of `t10k-labels-idx1-ubyte.gz`
 * @throws {DataError} when a file is damaged or not what it should be
 */
export function fashionDataset(images: Uint8Array, labels: Uint8Array, options: ImageOptions = {}): Dataset {
  const [imageFile, labelFile] = FASHION_FILES;
  const rows = idxImages({ file: imageFile, bytes: images }, { file: labelFile, bytes: labels }, classNames);
  if (rows.imageShape.join() !== `${SIDE},${SIDE},1`) {
    throw new DataError(
      `${imageFile}: found images of ${rows.imageShape.join(' × ')}, expected ${SIDE} × ${SIDE} × 1.`,
    );
  }
  return imageDataset(rows, undefined, { ...options, name: 'fashion' });
}
