/** One node with a real containerd and kubelet, a service account, and looks at the pods on it. */
import type { PodObject } from '../../src/model/kubernetes.ts';
import { eventRecorderOf } from '../../src/twin/kubelet/event-recorder.ts';
import {
  CONF_DIR,
  FLANNEL_CONF,
  type KubeletWorld,
  kubeletWorld,
  type WorldOptions,
} from './kubelet-world.ts';

const FLANNEL = `${CONF_DIR}/10-flannel.conflist`;

export function world(options: Partial<WorldOptions> = {}): KubeletWorld {
  const made = kubeletWorld({
    nodes: [{ name: 'n', files: { [FLANNEL]: FLANNEL_CONF } }],
    ...options,
  });
  made.store.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  made.run(1);
  return made;
}

export function pod(from: KubeletWorld, name: string): PodObject {
  const found = from.store.get('Pod', 'default', name);
  if (found === undefined) throw new Error(`no pod ${name}`);
  return found;
}

export function container(from: KubeletWorld, name: string, index = 0) {
  return pod(from, name).status.containerStatuses?.[index];
}

export function reasons(from: KubeletWorld, name: string): string[] {
  return eventRecorderOf(from)
    .of({ kind: 'Pod', namespace: 'default', name })
    .map(({ reason }) => reason);
}
