/** The processes that run in containers, so that one of them can end as real ones do. */
import type { ProgramFor } from '../kubelet/kubelet-context.ts';
import type { Process, ProcessHost } from '../world.ts';

interface Running {
  readonly host: ProcessHost;
  readonly process: Process;
}

export class Processes {
  /** By pod and container: the last that was started. */
  private readonly started = new Map<string, Running>();
  private readonly watchers = new Set<(host: ProcessHost) => void>();

  /** For `BuildOptions.wrapPrograms`. */
  wrap(programFor: ProgramFor): ProgramFor {
    return (pod, container) => {
      const program = programFor(pod, container);
      return (host) => {
        const process = program(host);
        if (host.init) return process;
        this.started.set(keyOf(host), { host, process });
        for (const watcher of this.watchers) watcher(host);
        return process;
      };
    };
  }

  /** Those that run now. */
  all(): readonly ProcessHost[] {
    return [...this.started.values()].filter(isCurrent).map(({ host }) => host);
  }

  /** Calls the watcher for each process that starts; returns the way out. */
  onStart(watcher: (host: ProcessHost) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** The process ends with an error; nothing where it has ended already. */
  end(host: ProcessHost, code: number, message: string): void {
    const running = this.started.get(keyOf(host));
    if (running?.host !== host || !isCurrent(running)) return;
    this.started.delete(keyOf(host));
    running.process.stop('terminated');
    host.exit(code, message);
  }
}

function isCurrent({ host, process }: Running): boolean {
  return host.node.kubelet.process(host.pod.metadata.uid ?? '', host.container.name) === process;
}

function keyOf({ pod, container }: ProcessHost): string {
  return `${pod.metadata.uid ?? ''} ${container.name}`;
}
