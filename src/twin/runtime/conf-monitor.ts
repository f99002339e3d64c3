/**
 * Watches the conf directory for a runtime and tells it when to load again. The watch is on the
 * directory that was there when it began (truth:W01–W23).
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { DirectoryEvent } from '../node/directory-watch.ts';
import type { NodeFileSystem } from '../node/node-file-system.ts';

export interface ConfMonitorOptions {
  readonly node: string;
  readonly kernel: Kernel;
  readonly files: NodeFileSystem;
  readonly latencyMs: number;
  readonly directories: readonly string[];
  /** Whether the event makes the runtime read its directory again. */
  readonly reacts: (event: DirectoryEvent, directory: string) => boolean;
  readonly reload: () => void;
  readonly onEvent?: (event: DirectoryEvent, reloads: boolean) => void;
}

export class ConfMonitor {
  private readonly options: ConfMonitorOptions;
  private readonly stops: (() => void)[] = [];
  private pending: { cancel(): void } | undefined;
  private lost: OccurrenceId | undefined;

  constructor(options: ConfMonitorOptions) {
    this.options = options;
    for (const directory of options.directories) {
      const stop = options.files.watchEvents(directory, (event) => this.seen(event, directory));
      if (stop !== undefined) this.stops.push(stop);
    }
  }

  stop(): void {
    for (const stop of this.stops) stop();
    this.stops.length = 0;
    this.pending?.cancel();
    this.pending = undefined;
  }

  /** Does now what it would do in a moment. */
  settle(): void {
    if (this.pending === undefined) return;
    this.pending.cancel();
    this.pending = undefined;
    this.options.reload();
  }

  private seen(event: DirectoryEvent, directory: string): void {
    const { kernel, node } = this.options;
    if (event.name !== '' || kernel.now() === 0) {
      this.react(event, directory);
      return;
    }
    kernel.because(kernel.causes, () => {
      const message = `${directory} is gone, and the watch of the runtime with it`;
      this.lost = kernel.occur('cni.watch-lost', { node, message });
      this.react(event, directory);
    });
  }

  private react(event: DirectoryEvent, directory: string): void {
    const { kernel, latencyMs, reacts, reload, onEvent } = this.options;
    const reloads = reacts(event, directory);
    onEvent?.(event, reloads);
    if (!reloads || this.pending !== undefined) return;
    // Before the clock starts, a node's files are put where they have always been.
    if (kernel.now() === 0) {
      reload();
      return;
    }
    this.pending = kernel.after(latencyMs, () => {
      this.pending = undefined;
      // The files go before their directory: the load they set off finds it gone.
      const { lost } = this;
      const causes = lost === undefined ? kernel.causes : [lost, ...kernel.causes];
      kernel.because(causes, reload);
    });
  }
}
