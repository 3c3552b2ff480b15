import { observeDrift } from '@meanflow/conformance/cases';
import { quantityOf, trainAndSample } from '../src/cases/long-training.js';
import { statedDrift, type DriftingObjective, type DriftingQuantity } from '../src/cases/stated-drift.js';

const roundUp = (x: number): number => {
  const unit = 10 ** (Math.floor(Math.log10(x)) - 1);
  return Number((Math.ceil(x / unit) * unit).toPrecision(2));
};

test.each(Object.keys(statedDrift) as DriftingObjective[])(
  'the drift stated for %s is what random roundings show',
  async (objective) => {
    const { drift } = await observeDrift((backend) => trainAndSample(backend, objective));
    const largest: Partial<Record<DriftingQuantity, number>> = {};
    for (const [name, value] of Object.entries(drift)) {
      const quantity = quantityOf(name);
      largest[quantity] = Math.max(largest[quantity] ?? 0, value);
    }
    const derived = Object.entries(largest).map(([quantity, value]) => [quantity, roundUp(value)]);
    expect(statedDrift[objective]).toEqual(Object.fromEntries(derived));
  },
);
