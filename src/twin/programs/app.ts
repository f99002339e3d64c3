/**
 * An ordinary container: ready a while after its start, and then only its network decides. An init
 * container ends well at once; a Job's pod ends well after its work.
 */
import { controllerOf } from '../../model/kubernetes.ts';
import type { Process, ProcessHost } from '../world.ts';
import { Life } from './life.ts';

export function app(host: ProcessHost): Process {
  const { world, container, pod } = host;
  const life = new Life(world.kernel);
  if (host.init && container.restartPolicy !== 'Always') {
    life.after(world.constants.containerStartMs, () => host.exit(0));
    return life.asProcess();
  }
  if (host.adopted === true) host.setReady(true);
  else life.after(world.constants.appReadyMs, () => host.setReady(true));
  if (!host.init && controllerOf(pod)?.kind === 'Job') {
    life.after(world.constants.jobMs, () => host.exit(0));
  }
  return life.asProcess();
}

/** A container that runs and never does what it is for. */
export function neverReady(host: ProcessHost): Process {
  return new Life(host.world.kernel).asProcess();
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
