/** The program of the page in which `meanflow conformance` runs the kit in Chromium. */
import { serveInPage } from '@meanflow/conformance/page';
import { modelCases } from '@meanflow/parity';
import { pageBackends } from './page-backends.js';

serveInPage(pageBackends, { cases: modelCases() });
