import { plainBackend } from '@meanflow/backend-plain';
import { describeConformance } from '@meanflow/conformance';
import { afterAll, describe, test } from 'vitest';
import { filter } from './kit.mjs';
import { libraryTests } from './library.mjs';

libraryTests(test);
describeConformance(() => plainBackend(), { describe, test, afterAll, filter });
