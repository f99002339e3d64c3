/**
 * An ordinary container: ready a while after its start, and then only its network decides. An init
 * container ends well at once; a Job's pod ends well after its work.
 */
import { controllerOf } from '../../model/kubernetes.ts';
import type { Timer } from '../kernel/kernel.ts';
import type { Process, ProcessHost } from '../world.ts';
import { Life } from './life.ts';

export function app(host: ProcessHost): Process {
  const { world, container, pod } = host;
  const { kernel, constants } = world;
  if (host.init && container.restartPolicy !== 'Always') {
    return new App(kernel.after(constants.containerStartMs, () => host.exit(0)));
  }
  const slept = sleepMs(container);
  let start: Timer | undefined;
  if (host.adopted === true) host.setReady(true);
  else start = kernel.after(constants.appReadyMs, () => host.setReady(true));
  if (slept !== undefined)
    return new App(
      start,
      kernel.after(slept, () => host.exit(0)),
    );
  if (host.init || controllerOf(pod)?.kind !== 'Job')
    return start === undefined ? IDLE : new App(start);
  return new App(
    start,
    kernel.after(constants.jobMs, () => host.exit(0)),
  );
}

/** Of `sleep N`, which ends well when its time is over. */
function sleepMs({ command = [], args = [] }: ProcessHost['container']): number | undefined {
  const [program, seconds = ''] = [...command, ...args];
  return program === 'sleep' && /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

/** Nothing but what it still waits for; its host hears nothing of a process that has ended. */
class App implements Process {
  private readonly start: Timer | undefined;
  private readonly work: Timer | undefined;

  constructor(start: Timer | undefined, work?: Timer) {
    this.start = start;
    this.work = work;
  }

  stop(): void {
    this.start?.cancel();
    this.work?.cancel();
  }
}

/** One for all that wait for nothing: a process without state is any process. */
const IDLE: Process = { stop: () => undefined };

/** A container that runs and never does what it is for. */
export function neverReady(): Process {
  return IDLE;
}

/** An init container that does its work at once and can end badly. */
export function initStep(
  work: (host: ProcessHost) => string | undefined,
): (host: ProcessHost) => Process {
  return (host) => {
    const life = new Life(host.world.kernel);
    life.after(host.world.constants.containerStartMs, () => {
      const failure = work(host);
      if (failure === undefined) host.exit(0);
      else host.exit(1, failure);
    });
    return life.asProcess();
  };
}
