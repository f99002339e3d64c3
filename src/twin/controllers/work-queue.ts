/**
 * A controller's work queue: a key that is due several times is worked on once, a moment later, and
 * only while the API server answers. The work carries the causes of the first who asked for it.
 */
import type { World } from '../world.ts';

export class WorkQueue {
  private readonly world: World;
  private readonly sync: (key: string) => void;
  private readonly due = new Set<string>();
  private readonly failures = new Map<string, number>();
  private readonly held = new Map<string, { left: number; failed: boolean }>();

  constructor(world: World, sync: (key: string) => void) {
    this.world = world;
    this.sync = sync;
  }

  add(key: string): void {
    if (this.due.has(key)) return;
    this.due.add(key);
    this.world.kernel.after(this.world.constants.controllerSyncMs, () => this.whenApiAnswers(key));
  }

  /** Again after the back-off that grows with each failure in a row (milliseconds). */
  retry(key: string): void {
    const { controllerRetryFirstMs, controllerRetryMaxMs } = this.world.constants;
    const count = this.failures.get(key) ?? 0;
    this.failures.set(key, count + 1);
    const wait = Math.min(controllerRetryMaxMs, controllerRetryFirstMs * 2 ** count);
    this.world.kernel.after(wait, () => this.add(key));
  }

  succeeded(key: string): void {
    if (!this.held.has(key)) this.failures.delete(key);
  }

  /**
   * The worker waits for an answer of the API server: the key is not worked on until the way out that
   * is returned has been called, for each time it was held; then again, after the back-off if one failed.
   */
  hold(key: string): (failed: boolean) => void {
    const held = this.held.get(key) ?? { left: 0, failed: false };
    held.left += 1;
    this.held.set(key, held);
    this.due.add(key);
    return (failed) => {
      held.left -= 1;
      held.failed ||= failed;
      if (held.left > 0) return;
      this.held.delete(key);
      this.due.delete(key);
      if (held.failed) this.retry(key);
      else {
        this.succeeded(key);
        this.add(key);
      }
    };
  }

  private whenApiAnswers(key: string): void {
    const { api } = this.world;
    if (api.healthy() || api.whenHealthy === undefined) this.run(key);
    else api.whenHealthy(() => this.run(key));
  }

  private run(key: string): void {
    this.due.delete(key);
    this.sync(key);
  }
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
