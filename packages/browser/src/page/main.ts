/** The page's program: it runs the kit on a backend when Node asks it to, and tells of each result. */
import { serveConformance, type RemoteMessage } from '@meanflow/conformance';
import { START, TELL, type PageRequest } from '../messages.js';
import { pageBackends } from './backends.js';
import { countAllocations, withMemory } from './memory.js';

type Page = Record<typeof TELL, (message: RemoteMessage) => Promise<void>> & Record<string, unknown>;
const page = globalThis as unknown as Page;

// Before any library is loaded: one that has begun keeps the functions that it found.
const allocated = countAllocations();

page[START] = ({ backend, cases, ...options }: PageRequest): Promise<void> =>
  serveConformance(
    async () => withMemory(await pageBackends[backend](options), allocated),
    cases,
    (message) => void page[TELL](message),
  );
