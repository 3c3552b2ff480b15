/** Tests of our own kernels run where there is a library of them. */
import { kernelPlatforms } from '../../src/native/kernel-library.js';

const platform = `${process.platform}-${process.arch}`;

export const hasOwnKernels = kernelPlatforms.includes(platform);
export const testOwnKernels: typeof test = hasOwnKernels ? test : test.skip;
