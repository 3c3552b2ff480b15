/** What the compiler refuses: an objective for other parameters, batches or networks than those it is to train. */
import { hostArray, mean, type HostArray, type Objective, type RandomKey, type Tensor } from '@meanflow/core';
import { meanFlow, mlp } from '@meanflow/models';
import { sgd, Trainer } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';

/** Interfaces, and the methods of classes: neither needs an index signature or a literal. */
interface Pair {
  readonly a: HostArray<'float32'>;
  readonly b: HostArray<'float32'>;
}

interface Slope {
  readonly slope: HostArray<'float32'>;
}

class Line {
  readonly #start = 3;
  init(_key: RandomKey): Slope {
    return { slope: hostArray(this.#start) };
  }
  apply({ slope }: { readonly slope: Tensor }, x: Tensor): Tensor {
    return slope.mul(x);
  }
}

class LineObjective implements Objective<Line, Slope, Pair, { shift: HostArray }> {
  readonly name = 'line';
  readonly #shift = 1;
  draw = () => ({ shift: hostArray(this.#shift) });
  loss: Objective<Line, Slope, Pair, { shift: HostArray }>['loss'] = ({
    network,
    params,
    batch: { a, b },
    draws: { shift },
  }) => {
    const error = network.apply(params, a).sub(b).add(shift);
    return { loss: mean(error.mul(error)), metrics: {} };
  };
}

const pairs = { batch: (): Pair => ({ a: hostArray([1, 2]), b: hostArray([0, 0]) }) };
const common = { backend: float32Backend(), optimizer: sgd({ learningRate: 0.1 }), batchSize: 2, seed: 0 };
const objective = new LineObjective();

it('a network and an objective may be instances of classes, and parameters and a batch interfaces', async () => {
  await using trainer = await Trainer.create({ ...common, network: new Line(), objective, data: pairs });
  const { loss } = await trainer.advance();
  // (3 + 1)², (6 + 1)²
  expect((await loss.read()).item()).toBe((16 + 49) / 2);
  const { slope } = await trainer.parameters();
  expect(slope.item()).toBeCloseTo(3 - 0.1 * (4 + 2 * 7), 6);
});

/** Never called: what counts is that it compiles as it stands. */
async function refused(): Promise<void> {
  const renamed = {
    init: () => ({ inclination: hostArray(1) }),
    apply: (_: { readonly inclination: Tensor }, x: Tensor) => x,
  };
  // @ts-expect-error the objective is for a network with a slope
  await Trainer.create({ ...common, network: renamed, objective, data: pairs });
  // @ts-expect-error the batch has no b
  await Trainer.create({ ...common, network: new Line(), objective, data: { batch: () => ({ a: hostArray([1]) }) } }); // prettier-ignore
  // @ts-expect-error a line is no velocity network
  await Trainer.create({ ...common, network: new Line(), objective: meanFlow(), data: pairs });
  const network = mlp({ kind: 'mlp', featureShape: [1], width: 2, depth: 1 });
  // @ts-expect-error pairs are no batches with x
  await Trainer.create({ ...common, network, objective: meanFlow(), data: pairs });
}

it('other parameters, batches and networks are compile errors', () =>
  expect(refused).toBeInstanceOf(Function));
