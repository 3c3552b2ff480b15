/** A backend of one's own, as `--backend` takes it by its path: the reference, under this name. */
import { referenceBackend } from '@meanflow/core';

export default () => referenceBackend();
