/** What a command is told when it is made: where it writes, and how it sets the exit status. */
import type { Command } from 'commander';
import type { Io } from '../terminal/io.js';

/** A command by its name, of which nothing but this is loaded until it is called, or asked for help. */
export interface CommandEntry {
  readonly name: string;
  /** What follows the name: options and arguments. */
  readonly usage?: string;
  readonly summary: string;
  /** Whether it opens data, models, runs or backends, which may be of a plug-in: it has `--plugin`. */
  readonly takesPlugins?: true;
  /** Loads the module that describes it. */
  load(): Promise<(command: Command, context: Context) => void>;
}

export interface Context {
  readonly io: Io;
  /** What a command does when it neither succeeds nor fails with an error, such as being interrupted. */
  readonly exit: (status: number) => void;
}
