import { referenceBackend } from '@meanflow/core';
import { describeConformance } from '../src/index.js';

describeConformance(() => referenceBackend(), {
  describe,
  test,
  afterAll,
  name: 'the reference interpreter conforms',
});
