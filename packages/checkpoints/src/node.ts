/** `@meanflow/checkpoints/node`: checkpoints in files and folders. */
export { fileAccess, fileFolder } from './node/files.js';
export { openCheckpoint } from './node/open.js';
