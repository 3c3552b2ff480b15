/** The functions of node:test fit as they are. */
import { after, describe, test } from 'node:test';
import { describeConformance, describeReport, runConformance } from '@meanflow/conformance';
import { describeInChromium } from '@meanflow/conformance/chromium';
import { accuracyTests } from '@meanflow/conformance/testing';
import { referenceBackend } from '@meanflow/core';

const open = async () => referenceBackend();

describeConformance(open, { describe, test, after });
describeConformance(open, { describe, test, after, name: 'named', timeout: 1000 });
describeReport((options) => runConformance(referenceBackend(), options), { name: 'report', describe, test });
accuracyTests({ test, backend: open });
await describeInChromium({ entry: new URL('./page.ts', import.meta.url) }, 'mine', { describe, test });

// @ts-expect-error Nothing would dispose of the backend.
describeConformance(open, { describe, test });
// @ts-expect-error There is no test runner without tests.
describeConformance(open, { describe, after });
