import * as mf from '@meanflow/core';
import { backend, ints, normal } from './support.js';

test('an index outside of the table is refused', async () => {
  const { graph } = mf.trace((x) => mf.gather(x.table, x.index), {
    table: mf.spec([3]),
    index: mf.spec([1], 'int32'),
  });
  const executable = await (await backend()).compile(graph);
  await expect(executable.run({ table: normal([3]), index: ints([3]) })).rejects.toThrow(mf.BackendError);
  await executable.dispose();
});
