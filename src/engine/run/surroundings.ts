/**
 * What a person looks at beside the nodes while a migration runs: its probes, the volumes, and what the
 * cluster itself complains of. What may not be read is null, never "none".
 */
import { RegaugeError } from '../../base/errors.ts';
import { isProbePod, PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import type { EventObject, PodObject, VolumeAttachmentObject } from '../../model/kubernetes.ts';
import type {
  ProbesStatus,
  StatusDocument,
  VolumesStatus,
  WarningStatus,
} from '../../model/status.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import { isReady } from '../../steps/pods.ts';
import { longhornVolumes } from '../../steps/volumes.ts';

type Surroundings = Pick<StatusDocument, 'probes' | 'volumes' | 'events'>;

/** Kubernetes keeps events for an hour (kube-apiserver --event-ttl); what is older than this has passed. */
const RECENT_MS = 15 * 60_000;
/** Kinds of complaints that are told; the rest is in `kubectl get events`. */
const TOLD_MAX = 10;

/** `wallTime`: milliseconds since 1970, to be compared with the cluster's own times. */
export async function surroundings(
  kubernetes: Pick<KubernetesReads, 'list'>,
  wallTime: number,
): Promise<Surroundings> {
  const [probes, volumes, events] = await Promise.all([
    unlessForbidden(() => probesOf(kubernetes)),
    unlessForbidden(() => volumesOf(kubernetes)),
    unlessForbidden(() => warningsSince(kubernetes, wallTime - RECENT_MS)),
  ]);
  return { probes, volumes, events };
}

async function unlessForbidden<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RegaugeError && error.code === 'forbidden') return null;
    throw error;
  }
}

async function probesOf(kubernetes: Pick<KubernetesReads, 'list'>): Promise<ProbesStatus> {
  const pods = await kubernetes.list<PodObject>('v1', 'Pod', { namespace: PROBE_NAMESPACE });
  const agents = pods.filter(isProbePod);
  return { agents: agents.length, ready: agents.filter(isReady).length };
}

async function volumesOf(kubernetes: Pick<KubernetesReads, 'list'>): Promise<VolumesStatus> {
  const [attachments, longhorn] = await Promise.all([
    kubernetes.list<VolumeAttachmentObject>('storage.k8s.io/v1', 'VolumeAttachment'),
    longhornVolumes(kubernetes),
  ]);
  const waiting = attachments.filter(({ status }) => status?.attached !== true);
  return {
    attached: attachments.length - waiting.length,
    waiting: waiting.map(({ metadata, spec, status }) => ({
      name: spec.source.persistentVolumeName ?? metadata.name,
      node: spec.nodeName,
      ...(status?.attachError?.message === undefined
        ? {}
        : { message: status.attachError.message }),
    })),
    // A volume that nobody uses has no robustness that counts.
    unhealthy: longhorn.flatMap(({ metadata, status }) => {
      const robustness = status?.robustness ?? 'unknown';
      return status?.state === 'attached' && robustness !== 'healthy'
        ? [{ name: metadata.name, robustness }]
        : [];
    }),
  };
}

/** By reason, those with the newest word first. */
async function warningsSince(
  kubernetes: Pick<KubernetesReads, 'list'>,
  since: number,
): Promise<readonly WarningStatus[]> {
  const events = await kubernetes.list<EventObject>('v1', 'Event', {
    fieldSelector: { type: 'Warning' },
  });
  const byReason = new Map<string, WarningStatus>();
  for (const event of events) {
    const last = event.lastTimestamp ?? event.metadata.creationTimestamp;
    if (last === undefined || Date.parse(last) < since) continue;
    const { reason = 'Unknown', message = '', involvedObject } = event;
    const before = byReason.get(reason);
    const count = (before?.count ?? 0) + (event.count ?? 1);
    const { kind, namespace, name } = involvedObject;
    const subject = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    byReason.set(
      reason,
      before !== undefined && before.last > last
        ? { ...before, count }
        : { reason, count, last, subject, message },
    );
  }
  return [...byReason.values()]
    .toSorted((left, right) => (left.last < right.last ? 1 : left.last > right.last ? -1 : 0))
    .slice(0, TOLD_MAX);
}
