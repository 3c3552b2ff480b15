/**
 * The `meanflow` command: its subcommands, and how it ends. Status 0: done. 1: something went wrong (a file is missing or damaged, a
 * device is not there, training diverged). 2: what was asked for is wrong (an unknown option, name or field, a value out of range).
 * 130, 143, 129: stopped by SIGINT (Ctrl-C), SIGTERM or SIGHUP, with what was trained kept. The same signals a second time end the
 * command at once.
 */
import { createRequire } from 'node:module';
import { ArgumentError } from '@meanflow/core';
import { Command, CommanderError } from 'commander';
import { commands } from './commands/index.js';
import { optionName } from './commands/option-name.js';
import { loadNamed, pluginOption } from './plugins.js';
import { errorText } from './terminal/errors.js';
import type { Io } from './terminal/io.js';

/**
 * Runs the command.
 *
 * @param args what follows the command's name
 * @returns the exit status
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let status = 0;
  try {
    const program = await createProgram(args, io, (code) => (status = code));
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return explain(error, io);
  }
}

/** Only the command that is called, or asked for help, is loaded. */
async function createProgram(
  args: readonly string[],
  io: Io,
  exit: (code: number) => void,
): Promise<Command> {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  const program = new Command('meanflow')
    .description('Train one-step generative models: flow matching, MeanFlow and improved MeanFlow.')
    .version(version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    // Help is the same on every terminal, and thrown instead of ending the process.
    .configureHelp({
      helpWidth: 110,
      subcommandTerm: (command) => termOf(command.name()),
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .hook('preAction', async (_, command) => {
      checkEmpty(command);
      await loadNamed(command);
    })
    .addHelpText(
      'after',
      `
First steps:
  $ npx meanflow train --data two-moons       # one model, in a folder of its own; about a minute
  $ npx meanflow sample runs/two-moons-meanflow-seed-0 --out moons.png
  $ npx meanflow compare                      # all three methods, on points and on digits; writes a report
  $ npx meanflow doctor                       # what runs on this machine`,
    );
  const called = calledCommand(args);
  for (const { name, summary, load, takesPlugins } of commands) {
    const command = program.command(name).summary(summary);
    if (name !== called) continue;
    (await load())(command, { io, exit });
    if (takesPlugins) command.addOption(pluginOption());
  }
  return program;
}

/** A command with what follows it. */
function termOf(name: string): string {
  const usage = name === 'help' ? '[command]' : commands.find((entry) => entry.name === name)?.usage;
  return usage === undefined ? name : `${name} ${usage}`;
}

/** The first argument that is no option, or the one after `help`. */
function calledCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  return first === 'help' ? second : first;
}

/**
 * An empty text is no name and no path: it is what a shell makes of a variable that is not set.
 *
 * @throws {ArgumentError} for an argument or an option that is one
 */
function checkEmpty(command: Command): void {
  const given = [
    ...command.args.map(
      (value, i) => [`<${command.registeredArguments[i]?.name() ?? 'argument'}>`, value] as const,
    ),
    ...Object.entries(command.opts()).map(([key, value]) => [optionName(key), value as unknown] as const),
  ];
  const empty = given.find(([, value]) => typeof value === 'string' && value.trim() === '');
  if (empty !== undefined) throw new ArgumentError(`${empty[0]}: expected some text, got nothing.`);
}

/** Says what was wrong, in one message, and returns the exit status. */
function explain(error: unknown, io: Io): number {
  // Commander has written its own message; help and version come this way too, with status 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  io.err(`${errorText(error)}\n`);
  return error instanceof ArgumentError ? 2 : 1;
}
