/** The methods by the name that a reader knows. */
import type { MethodName } from './names.js';

/** A line in a list of methods. */
export interface MethodEntry {
  readonly title: string;
  readonly description: string;
  readonly source: string;
}

export const methods: Readonly<Record<MethodName, MethodEntry>> = {
  'flow-matching': {
    title: 'Flow matching',
    description: 'regresses the velocity at an instant; sampling integrates it in many steps',
    source: 'Lipman et al., 2023',
  },
  meanflow: {
    title: 'MeanFlow',
    description: 'regresses the average velocity over an interval; samples in one step',
    source: 'Geng et al., arXiv 2505.13447',
  },
  'improved-meanflow': {
    title: 'Improved MeanFlow',
    description: 'the average velocity by a standard regression; samples in one step',
    source: 'Geng et al., arXiv 2512.02012',
  },
};
