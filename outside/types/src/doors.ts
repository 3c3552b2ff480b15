/** The doors that are for any platform, each with a use of its types. */
import type { Backend } from '@meanflow/core';
import { openModel, type OpenModel } from '@meanflow/runs';

export const open = (bytes: Uint8Array): Promise<OpenModel> => openModel(bytes);
export const name = (backend: Backend): string => backend.name;
