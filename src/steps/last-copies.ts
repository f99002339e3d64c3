/**
 * Before what holds a node's copies of volumes goes down (its instance manager, the machine): every volume
 * with a copy here has another that is well. Longhorn tells of a copy it lost only after its time-out, so
 * that a node that has just fallen silent is waited for until Longhorn must know of it.
 */
import type { KubeObject, NodeObject, VolumeAttachmentObject } from '../model/kubernetes.ts';
import type { Ports } from '../ports/index.ts';
import { isNodeReady } from './pods.ts';
import { fails, HOLDS, type StepContext, type Verdict } from './step-module.ts';
import { longhornVolumes } from './volumes.ts';
import { waitUntil } from './waiting.ts';

/** What has left the node waits meanwhile, and others hold still: rather stop than let that last (milliseconds). */
const PATIENCE_MS = 300_000;
/** engine-replica-timeout of 8 s (longhorn-manager), and what it takes to write it down. */
const KNOWN_AFTER_MS = 15_000;

interface Replica extends KubeObject {
  readonly spec?: { readonly nodeID?: string; readonly volumeName?: string };
}

/** Waits until it is so; throws when that takes too long, with the volume that is in the way. */
export async function untilCopiedElsewhere(context: StepContext, node: string): Promise<void> {
  const { ports, deadline, say } = context;
  const from = ports.clock.now();
  const verdict = await waitUntil(
    ports.clock,
    Math.min(deadline, from + PATIENCE_MS),
    () => copiedElsewhere(ports, node, ports.clock.now() - from < KNOWN_AFTER_MS),
    (message) => say(message, node),
  );
  if (!verdict.holds) throw new LastCopies(verdict.message);
}

/** The message names the volume. */
class LastCopies extends Error {
  override readonly name = 'LastCopies';
}

/** `isEarly`: a node that is not there may have left a moment ago, and Longhorn not have told yet. */
async function copiedElsewhere(ports: Ports, node: string, isEarly: boolean): Promise<Verdict> {
  const { kubernetes } = ports;
  const replicas = await kubernetes.list<Replica>('longhorn.io/v1beta2', 'Replica');
  const holders = holdersOf(replicas);
  const shared = [...holders].filter(([, nodes]) => nodes.has(node) && nodes.size > 1);
  if (shared.length === 0) return HOLDS;
  const volumes = await longhornVolumes(kubernetes);
  const attached = new Map(
    volumes
      .filter(({ status }) => status?.state === 'attached')
      .map(({ metadata, status }) => [metadata.name, status?.robustness ?? 'healthy']),
  );
  // On a node that is gone, or away, no copy is left to take down.
  const listed = await kubernetes.list<NodeObject>('v1', 'Node');
  const present = new Map(listed.map((found) => [found.metadata.name, found]));
  if (!isNodeReady(present.get(node))) return HOLDS;
  const silent = await silentNodes(ports, node);
  const wanted = await wantedVolumes(kubernetes);
  for (const [volume, nodes] of shared) {
    const robustness = attached.get(volume);
    if (robustness === undefined) {
      const others = [...nodes].filter((holder) => holder !== node);
      if (wanted.has(volume) && !others.some((holder) => isNodeReady(present.get(holder))))
        return fails(
          `Longhorn volume ${volume} is being attached, and no other node with a copy is Ready`,
        );
      // No engine waits for the copies of a volume that is not attached.
      continue;
    }
    if (robustness !== 'healthy')
      return fails(
        `Longhorn volume ${volume} is ${robustness}: its copy on ${node} may be the last`,
      );
    const other = [...nodes].find((holder) => silent.has(holder));
    if (other !== undefined)
      return fails(`${other}, which holds a copy of Longhorn volume ${volume}, has fallen silent`);
    const gone = isEarly ? [...nodes].find((holder) => !present.has(holder)) : undefined;
    if (gone !== undefined)
      return fails(`${gone}, which held a copy of Longhorn volume ${volume}, has left the cluster`);
  }
  return HOLDS;
}

/** Volumes that Kubernetes has attached, or is about to; Longhorn names them as their PersistentVolumes. */
async function wantedVolumes(kubernetes: Ports['kubernetes']): Promise<ReadonlySet<string>> {
  const attachments = await kubernetes.list<VolumeAttachmentObject>(
    'storage.k8s.io/v1',
    'VolumeAttachment',
  );
  return new Set(attachments.map(({ spec }) => spec.source.persistentVolumeName ?? ''));
}

/** Nodes by volume. */
function holdersOf(replicas: readonly Replica[]): ReadonlyMap<string, ReadonlySet<string>> {
  const holders = new Map<string, Set<string>>();
  for (const { spec } of replicas) {
    const { nodeID = '', volumeName = '' } = spec ?? {};
    if (nodeID === '' || volumeName === '') continue;
    const nodes = holders.get(volumeName);
    if (nodes === undefined) holders.set(volumeName, new Set([nodeID]));
    else nodes.add(nodeID);
  }
  return holders;
}

/** Nodes that others do not reach any more, and not for so long that Longhorn would have told. */
async function silentNodes({ prober }: Ports, node: string): Promise<ReadonlySet<string>> {
  const failing = await prober.failing();
  return new Set(
    failing
      .filter(({ from, to }) => to.class === 'host' && to.node !== node && from.node !== to.node)
      .filter(({ sinceMs }) => sinceMs < KNOWN_AFTER_MS)
      .map(({ to }) => to.node),
  );
}
