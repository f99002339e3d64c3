/**
 * A cluster as it is left, without what differs between any two runs: names and ids that are drawn,
 * times, counts of versions, where the scheduler put what may be anywhere.
 */
import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type KubeObject, type PodObject, controllerOf } from '../../src/model/kubernetes.ts';
import type { TwinWorld } from '../../src/twin/scenario/build-world.ts';

/** Kinds whose objects come and go by themselves, or say what was compared otherwise. */
const LEFT_OUT = new Set([
  'Pod',
  'Event',
  'Lease',
  'CiliumEndpoint',
  'CiliumIdentity',
  'CiliumNode',
  'Endpoints',
  'EndpointSlice',
  'ReplicaSet',
  'ControllerRevision',
  'VolumeAttachment',
]);

export type EndState = Readonly<Record<string, string>>;

/** Lines to compare, by what they tell of. */
export function endState(world: TwinWorld, newPool: string): EndState {
  const lines: Record<string, string> = {};
  for (const kind of world.store.kindNames()) {
    if (LEFT_OUT.has(kind)) continue;
    for (const object of world.store.list<string>(kind)) {
      const { namespace = '', name } = object.metadata;
      if (name === 'regauge-run') continue;
      lines[`${kind} ${namespace}/${name}`] = canonicalJson(settled(object));
    }
  }
  for (const [name, { files, network }] of world.nodes) {
    const directory = '/etc/cni/net.d';
    const confs = (files.list(directory) ?? []).map((file) => [
      file,
      files.read(`${directory}/${file}`),
    ]);
    lines[`files ${name}`] = canonicalJson(confs);
    lines[`links ${name}`] = canonicalJson(
      network.links().filter((link) => !/^(lxc|veth)/.test(link)),
    );
    lines[`config ${name}`] = world.nodes.get(name)?.machine.config() ?? '';
  }
  for (const [release, revisions] of world.releases) {
    lines[`release ${release}`] = canonicalJson(
      revisions.map(({ chartVersion, values }) => [chartVersion, values]),
    );
  }
  for (const [owner, pods] of podsByOwner(world))
    lines[`pods of ${owner}`] = podsInWords(pods, newPool);
  return lines;
}

function settled(object: KubeObject): unknown {
  // Anything of the object may be compared but what is left out here.
  const { status: _status, metadata, ...rest } = object as KubeObject & { status?: unknown };
  const { labels = {}, annotations = {}, name, namespace } = metadata;
  const kept = Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !/deployment.kubernetes.io\/revision/.test(key)),
  );
  return { ...rest, metadata: { labels, annotations: kept, name, namespace } };
}

function podsByOwner(world: TwinWorld): ReadonlyMap<string, readonly PodObject[]> {
  const owners = new Map<string, PodObject[]>();
  for (const pod of world.store.list('Pod')) {
    const owner = controllerOf(pod);
    const key = `${pod.metadata.namespace ?? ''}/${owner?.kind ?? 'no'}/${owner?.name ?? pod.metadata.name}`;
    const stable = key.replace(/-[0-9a-f]{6,10}$/, '');
    owners.set(stable, [...(owners.get(stable) ?? []), pod]);
  }
  return owners;
}

function podsInWords(pods: readonly PodObject[], newPool: string): string {
  const ready = pods.filter((pod) =>
    pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
  const moved = pods.filter(({ status }) => status.podIP?.startsWith(newPool));
  return `${pods.length} pods, ${ready.length} ready, ${moved.length} on the new network`;
}

/** What differs, in a form that a person can read. */
export function differences(expected: EndState, found: EndState): readonly string[] {
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])].toSorted();
  return keys.flatMap((key) => {
    const before = expected[key];
    const after = found[key];
    if (before === after) return [];
    return [`${key}: ${short(before)} | ${short(after)}`];
  });
}

function short(text: string | undefined): string {
  return text === undefined ? 'not there' : text.slice(0, 400);
}
