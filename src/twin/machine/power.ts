/**
 * Power and the pods on it: the graceful stop before a reboot, the moment everything volatile is
 * gone, and the boot. Talos has the kubelet end its pods and stops it; of the sandboxes that are
 * left, pod-network ones go first, so that DEL still finds the agent, then hostNetwork ones
 * (`talos:internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer_tasks.go@v1.10.5`
 * stopAndRemoveAllPods, `talos:internal/pkg/cri/pods.go@v1.13.9`).
 */
import type { PodObject } from '../../model/kubernetes.ts';
import type { TwinNode, World } from '../world.ts';

export interface MachineHost {
  readonly world: World;
  /** The node this machine is; asked for late, since node and machine need each other. */
  node(): TwinNode;
  /** The machine was off when the cluster was read, and nobody has started it since. */
  readonly isOff?: boolean;
  /** Empties what the event empties; `preserve` is what Talos <= 1.7 needs to keep EPHEMERAL. */
  loseFiles(event: 'reboot' | 'upgrade', preserve: boolean): void;
}

/** A kubelet elsewhere is not told: its default is no grace (KK shutdownGracePeriod 0). */
export function stopAllPods(host: MachineHost, done: () => void): void {
  const { kubelet } = host.node();
  const isTold = host.world.versions.distribution === 'talos' && kubelet.shutDown !== undefined;
  if (isTold) kubelet.shutDown?.(() => stopAllSandboxes(host, done));
  else stopAllSandboxes(host, done);
}

function stopAllSandboxes(host: MachineHost, done: () => void): void {
  const pods = host.world.store.podsOn(host.node().name);
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    cap.cancel();
    done();
  };
  const cap = host.world.kernel.after(host.world.constants.machineStopMs, finish);
  stopSandboxes(
    host,
    pods.filter((pod) => !isHost(pod)),
    () => stopSandboxes(host, pods.filter(isHost), finish),
  );
}

function isHost(pod: PodObject): boolean {
  return pod.spec.hostNetwork === true;
}

function stopSandboxes(host: MachineHost, pods: readonly PodObject[], done: () => void): void {
  const { runtime } = host.node();
  const ids = pods.flatMap((pod) => {
    const sandbox = runtime.sandboxOf(pod.metadata.uid ?? '');
    return sandbox === undefined ? [] : [sandbox.id];
  });
  let left = ids.length;
  if (left === 0) {
    done();
    return;
  }
  const { kernel } = host.world;
  const causes = kernel.causes;
  for (const id of ids) {
    // A sandbox whose network cannot be torn down does not hold the machine back.
    runtime.stopSandbox(id, () => {
      left -= 1;
      if (left === 0) kernel.because(causes, done);
    });
  }
}

/** Processes, sandboxes, links and everything on tmpfs are gone. */
export function losePower(host: MachineHost, event: 'reboot' | 'upgrade', preserve: boolean): void {
  const node = host.node();
  node.kubelet.powerLost();
  node.runtime.powerLost();
  node.network.powerLost();
  node.sockets.clear();
  host.loseFiles(event, preserve);
}

/** Mounts are there, containerd loads its conf, then the kubelet starts. */
export function restorePower(host: MachineHost): void {
  const node = host.node();
  node.runtime.powerOn();
  node.kubelet.powerOn();
}
