/**
 * The step programs of a trainer: those of one stage at a time, each compiled when it is first wanted. Those of a stage that
 * is left are let go before the next one's are made, so that a device never holds both.
 */
import type { Stage } from './stages.js';

interface Disposable {
  dispose(): Promise<void>;
}

export class StagePrograms<Program extends Disposable, Variant> {
  private stage: Stage | undefined;
  private readonly compiled = new Map<Variant, Promise<Program>>();

  /** @param compile a variant of a stage's program */
  constructor(private readonly compile: (stage: Stage, variant: Variant) => Promise<Program>) {}

  /** A variant of a stage's program. */
  of(stage: Stage, variant: Variant): Promise<Program> {
    const leaving = stage === this.stage ? [] : [...this.compiled.values()];
    if (stage !== this.stage) {
      this.stage = stage;
      this.compiled.clear();
    }
    let program = this.compiled.get(variant);
    if (program === undefined) {
      program = disposeAll(leaving).then(() => this.compile(stage, variant));
      // Whoever wants it is told of a failure; nobody may want what was begun ahead.
      program.catch(() => {});
      this.compiled.set(variant, program);
    }
    return program;
  }

  async dispose(): Promise<void> {
    const all = [...this.compiled.values()];
    this.compiled.clear();
    await disposeAll(all);
  }
}

async function disposeAll(programs: readonly Promise<Disposable>[]): Promise<void> {
  for (const program of programs) await program.then((made) => made.dispose()).catch(() => {});
}
