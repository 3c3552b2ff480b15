/** `@meanflow/formats/node`: files and folders as sources, and the file system's errors in words. */
export { errorCode, explainFileErrors, readRegularFile } from './node/file-errors.js';
export { fileAccess, fileFolder, isFolder } from './node/files.js';
