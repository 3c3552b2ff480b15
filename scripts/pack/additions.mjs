/**
 * What is published beside the packages of this workspace: packages that are made while packing, and the optional dependencies
 * by which ours find them.
 *
 * @param {string} staging where each gets a folder
 * @returns {Promise<{ folders: string[], optionalDependencies: Record<string, Record<string, string>> }>} their folders, and for
 *   packages of ours, by name, what these depend on
 */
export async function stageAdditions(staging) {
  const made = [];
  return { folders: made.map(({ path }) => `${staging}/${path}`), optionalDependencies: {} };
}
