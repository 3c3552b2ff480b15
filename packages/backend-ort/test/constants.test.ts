/** Constants become initializers of the session, in both bindings. */
import * as mf from '@meanflow/core';
import { ortBackend, type OrtBinding } from '../src/index.js';
import { expectClose, normal, ort } from './support.js';

const { graph } = mf.trace(
  ({ x, w, b }: Record<'x' | 'w' | 'b' | 'unread', mf.Tensor>) => ({
    y: mf.tanh(mf.matmul(x, w)).add(b.reshape([1, 48])),
    same: w,
  }),
  { x: mf.spec([4, 64]), w: mf.spec([64, 48]), b: mf.spec([48]), unread: mf.spec([3]) },
);
const x = normal([4, 64]);
const constants = { w: normal([64, 48], 'w'), b: normal([48], 'b'), unread: normal([3], 'u') };

test.each<OrtBinding>(['native', 'public'])('by the %s binding', async (binding) => {
  const backend = await ortBackend({ ort, binding, threads: 1 });
  const plain = await backend.compile(graph);
  const settled = await backend.compile(graph, { constants });
  const bytes = (64 * 48 + 48 + 3) * 4;
  expect(backend.memory()).toMatchObject({ arrays: 0, bytes: 0, constantBytes: bytes });
  const expected = await plain.run({ x, ...constants });
  for (let i = 0; i < 3; i++) {
    const found = await settled.run({ x });
    expectClose(await found.y.read(), await expected.y.read(), 'sum', 64);
    expect((await found.same.read()).data).toEqual(constants.w.data);
  }
  expect(settled.counters.hostToDeviceBytes).toBe(bytes + 3 * x.data.byteLength);
  await settled.dispose();
  expect(backend.memory()).toMatchObject({ constantBytes: 0 });
  await backend.dispose();
});
