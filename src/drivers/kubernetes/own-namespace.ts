/**
 * The namespace of regauge's own objects, for those who need it for a while: who made it takes it away,
 * unless somebody's objects are in it by then. A mark on it says who did, so that a later run knows what
 * one that crashed has left; a migration that settles in it takes the mark off
 * (engine/lease/settle-in-namespace.ts).
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import {
  IN_EVERY_NAMESPACE,
  MADE_BY,
  OWN_NAMESPACE,
  OWN_NAMESPACE_ADDRESS,
  OWN_NAMESPACE_LABELS,
} from '../../model/own-objects.ts';
import type { KubernetesPort } from '../../ports/index.ts';

/** Others' objects of these kinds keep it: what regauge itself may have there, and what users mean to keep. */
const WHAT_MAY_LIVE_THERE = [
  ['v1', 'Pod'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['coordination.k8s.io/v1', 'Lease'],
] as const;
/** Contents are removed first; looked at once a second. */
const LOOKS_MAX = 30;

type Wait = () => Promise<void>;

/** `wait` is about a second. One that is being removed is waited for. */
export async function makeOwnNamespace(
  kubernetes: KubernetesPort,
  madeBy: string,
  wait: Wait,
): Promise<void> {
  const found = await whenNotGoing(kubernetes, wait);
  const labels = OWN_NAMESPACE_LABELS;
  if (found === undefined) {
    const metadata = { name: OWN_NAMESPACE, labels, annotations: { [MADE_BY]: madeBy } };
    await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
    return;
  }
  const isOpen = Object.entries(labels).every(
    ([key, value]) => found.metadata.labels?.[key] === value,
  );
  // A patch: what an apply leaves out, it takes away, and the mark is ours.
  if (!isOpen) await kubernetes.patch(OWN_NAMESPACE_ADDRESS, { metadata: { labels } });
}

/**
 * Only where `madeBy` made it, also before a crash, and nobody else's objects are there. Who may not
 * look or remove it leaves it. Its removal is not waited for: who needs it again waits.
 */
export async function removeOwnNamespace(
  kubernetes: KubernetesPort,
  madeBy: string,
  isOwn: (object: KubeObject) => boolean,
): Promise<void> {
  try {
    const namespace = await kubernetes.get<KubeObject>(OWN_NAMESPACE_ADDRESS);
    if (namespace?.metadata.annotations?.[MADE_BY] !== madeBy) return;
    for (const [apiVersion, kind] of WHAT_MAY_LIVE_THERE) {
      const objects = await kubernetes.list(apiVersion, kind, { namespace: OWN_NAMESPACE });
      if (objects.some((object) => !IN_EVERY_NAMESPACE.has(object.metadata.name) && !isOwn(object)))
        return;
    }
    const { resourceVersion } = namespace.metadata;
    const preconditions = resourceVersion === undefined ? {} : { resourceVersion };
    await kubernetes.delete(OWN_NAMESPACE_ADDRESS, { preconditions });
  } catch (error) {
    // Somebody has settled there since it was looked at; or it is not ours to remove.
    if (error instanceof RegaugeError && ['conflict', 'forbidden'].includes(error.code)) return;
    throw error;
  }
}

async function whenNotGoing(
  kubernetes: KubernetesPort,
  wait: Wait,
): Promise<KubeObject | undefined> {
  for (let looks = 1; ; looks += 1) {
    const found = await kubernetes.get<KubeObject>(OWN_NAMESPACE_ADDRESS);
    if (found?.metadata.deletionTimestamp === undefined || looks === LOOKS_MAX) return found;
    await wait();
  }
}
