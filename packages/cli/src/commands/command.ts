/** What a command does when it neither succeeds nor fails with an error, such as being interrupted: it sets the exit status. */
export type SetExitCode = (code: number) => void;
