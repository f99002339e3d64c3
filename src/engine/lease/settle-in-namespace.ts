/**
 * A migration settles in the namespace of regauge's own objects: it is made where it is not there, and
 * open to host networking. Where somebody made it for a while (drivers/kubernetes/own-namespace.ts), it
 * stays from now on.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import {
  MADE_BY,
  OWN_NAMESPACE_ADDRESS,
  OWN_NAMESPACE_LABELS,
  PRIVILEGED_NAMESPACE_LABELS,
} from '../../model/own-objects.ts';
import type { KubernetesPort } from '../../ports/index.ts';

export async function settleInNamespace(kubernetes: KubernetesPort): Promise<void> {
  const found = await kubernetes.get<KubeObject>(OWN_NAMESPACE_ADDRESS);
  if (found === undefined) {
    const { apiVersion, kind, name } = OWN_NAMESPACE_ADDRESS;
    try {
      await kubernetes.create({
        apiVersion,
        kind,
        metadata: { name, labels: OWN_NAMESPACE_LABELS },
      });
      return;
    } catch (error) {
      if (!(error instanceof RegaugeError && error.code === 'conflict')) throw error;
    }
  }
  if (found?.metadata.annotations?.[MADE_BY] !== undefined)
    await kubernetes.patch(OWN_NAMESPACE_ADDRESS, {
      metadata: { annotations: { [MADE_BY]: null } },
    });
  const missing = Object.entries(PRIVILEGED_NAMESPACE_LABELS).some(
    ([key, value]) => found?.metadata.labels?.[key] !== value,
  );
  if (missing)
    await kubernetes.patch(OWN_NAMESPACE_ADDRESS, {
      metadata: { labels: PRIVILEGED_NAMESPACE_LABELS },
    });
}
