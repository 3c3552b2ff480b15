/** The functions of Mocha fit; what others call `test` is `it`. */
import { after, describe, it } from 'mocha';
import { describeConformance } from '@meanflow/conformance';
import { referenceBackend } from '@meanflow/core';

describeConformance(() => referenceBackend(), { describe, test: it, after });
