/** A finding of the doctor: whether something works, and what is to be said of it. */
export interface Finding {
  readonly subject: string;
  /** What a machine need not have is absent where it is missing; the others have failed. */
  readonly status: 'ok' | 'failed' | 'absent';
  readonly text: string;
}

/** What `work` says, or why it failed. */
export async function attempt(
  subject: string,
  otherwise: 'failed' | 'absent',
  work: () => Promise<string>,
): Promise<Finding> {
  try {
    return { subject, status: 'ok', text: await work() };
  } catch (error) {
    return { subject, status: otherwise, text: error instanceof Error ? error.message : String(error) };
  }
}
