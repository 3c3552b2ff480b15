/** The backend's lowerings: a kernel for every primitive. Composites are taken apart before. */
import { elementwiseKernels } from './elementwise.js';
import type { KernelTable } from './kernel.js';
import { movementKernels } from './movement.js';
import { sumKernels } from './sums.js';

export const kernels: KernelTable = { ...elementwiseKernels, ...movementKernels, ...sumKernels };
