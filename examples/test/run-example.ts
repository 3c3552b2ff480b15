/** Runs an example afresh, as if it were started with these arguments, and returns what it exports and prints. */
const { jest } = import.meta;

export async function runExample<Exports>(
  load: () => Promise<Exports>,
  args: readonly string[],
): Promise<{ readonly exports: Exports; readonly printed: readonly string[] }> {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const argv = process.argv;
  process.argv = [...argv.slice(0, 2), ...args];
  try {
    jest.resetModules();
    const exports = await load();
    return { exports, printed: log.mock.calls.map(([line]) => String(line)) };
  } finally {
    process.argv = argv;
    log.mockRestore();
  }
}
