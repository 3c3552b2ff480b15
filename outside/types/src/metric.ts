/** A metric of one's own: how far samples are from the circle. */
import { metric } from '@meanflow/metrics';

export const offCircle = metric({
  name: 'off-circle',
  title: 'off circle',
  unit: 'radii',
  better: 'lower',
  description: 'Mean distance from the circle.',
  reads: [],
  value: ({ samples }) => {
    const rows = samples.shape[0] ?? 0;
    let total = 0;
    for (let row = 0; row < rows; row++) {
      const [x = 0, y = 0] = samples.data.subarray(2 * row, 2 * row + 2);
      total += Math.abs(Math.hypot(x, y) - 1);
    }
    return total / rows;
  },
});
