/**
 * How whoever watches a run holds it up: a pause lets what runs come to its end and starts nothing
 * more at the next safe point; a stop ends it now. Either way the cluster says how far it is, and a
 * later run goes on from there.
 */

/** The run ends here, and not because a step failed. Nothing retries it, no gate waits it out. */
export class RunHalted extends Error {
  override readonly name = 'RunHalted';
}

export class RunControl {
  private pausing = false;
  private halt: RunHalted | undefined;
  private readonly waiting = new Set<(halted: RunHalted) => void>();
  private readonly listeners: (() => void)[] = [];

  get isPausing(): boolean {
    return this.pausing || this.halt !== undefined;
  }

  get isStopped(): boolean {
    return this.halt !== undefined;
  }

  /** Nothing starts any more once the run is at a safe point. */
  pause(): void {
    if (this.isPausing) return;
    this.pausing = true;
    for (const listener of this.listeners) listener();
  }

  /** Nothing is asked or changed any more; what was sent is waited for. */
  stop(reason: string): void {
    if (this.halt !== undefined) return;
    this.halt = new RunHalted(reason);
    for (const reject of this.waiting) reject(this.halt);
    this.waiting.clear();
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Throws once the run was stopped. */
  check(): void {
    if (this.halt !== undefined) throw this.halt;
  }

  /** The answer, or the stop if that comes first: for what changes nothing. */
  interruptible<T>(work: Promise<T>): Promise<T> {
    if (this.halt !== undefined) {
      work.catch(() => undefined);
      return Promise.reject(this.halt);
    }
    // Not Promise.race: a promise that never settles would keep all that was ever raced with it.
    return new Promise<T>((resolve, reject) => {
      this.waiting.add(reject);
      work.then(resolve, reject).finally(() => this.waiting.delete(reject));
    });
  }
}
