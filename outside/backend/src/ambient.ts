/** The functions that Jest puts there fit as they are, by the types of @types/jest. */
import { describeConformance, describeReport, runConformance } from '@meanflow/conformance';
import { describeInChromium } from '@meanflow/conformance/chromium';
import { accuracyTests } from '@meanflow/conformance/testing';
import { referenceBackend } from '@meanflow/core';

const open = async () => referenceBackend();

describeConformance(open, { describe, test, afterAll });
describeReport((options) => runConformance(referenceBackend(), options), { name: 'report', describe, test });
accuracyTests({ test, backend: open });
await describeInChromium({ entry: new URL('./page.ts', import.meta.url) }, 'mine', { describe, test });
