/**
 * Records a cluster through the Kubernetes port, a page at a time: memory does not grow with the
 * cluster. What cannot be read is named with the reason and the command that would read it. A kind
 * that an earlier, unfinished snapshot of the same cluster holds whole is not read again.
 */
import type { NotRead, SnapshotFile, SnapshotManifest } from '../../model/snapshot.ts';
import { readReleases, type ReleasesRead } from './helm-releases.ts';
import { SNAPSHOT_KINDS, type SnapshotKind } from './kinds.ts';
import { type NodeFilesRead, readNodeFiles } from './node-files.ts';
import { readKind } from './read-kind.ts';
import type { SnapshotRequest } from './request.ts';

/** Kinds read at the same time. */
const AT_ONCE = 2;

export async function takeSnapshot(request: SnapshotRequest): Promise<SnapshotManifest> {
  const cluster = await identify(request);
  const { earlier } = request;
  const resumed =
    earlier !== undefined &&
    earlier.cluster.uid !== undefined &&
    earlier.cluster.uid === cluster.uid
      ? earlier
      : undefined;
  const files: SnapshotFile[] = [...(resumed?.files ?? [])];
  const notRead: NotRead[] = [];
  let nodes: NodeFilesRead | undefined;
  let helm: ReleasesRead | undefined;
  const manifest = (complete: boolean): SnapshotManifest => ({
    apiVersion: 'regauge.dev/v1',
    kind: 'Snapshot',
    takenAt: resumed?.takenAt ?? request.takenAt,
    cluster,
    complete,
    files: files.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    ...(nodes === undefined ? {} : { nodes: nodes.nodes }),
    ...(nodes?.etcd === undefined ? {} : { etcd: nodes.etcd }),
    ...(helm === undefined ? {} : { helm: helm.releases }),
    notRead: [
      ...notRead,
      ...(helm?.notRead ?? []),
      ...(request.nodes?.notRead ?? []),
      ...(nodes?.notRead ?? []),
    ].toSorted((left, right) => (left.what < right.what ? -1 : 1)),
  });
  const kinds = await kindsThere(request);
  const waiting = kinds.filter((kind) => !files.some(isOf(kind)));
  for (const { kind, objects } of files) request.onProgress?.({ kind, objects, state: 'kept' });
  const worker = async (): Promise<void> => {
    for (let kind = waiting.shift(); kind !== undefined; kind = waiting.shift()) {
      const read = await readKind(request, kind).catch((error: unknown) => {
        waiting.length = 0;
        throw error;
      });
      if (read === 'absent') continue;
      if ('files' in read) files.push(...read.files);
      else notRead.push(read.notRead);
      await request.sink.manifest(manifest(false));
    }
  };
  // Nothing is written any more once the failure is told.
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  helm = await readReleases(request);
  if (request.nodes !== undefined) nodes = await readNodeFiles({ ...request, ...request.nodes });
  const whole = manifest(true);
  await request.sink.manifest(whole);
  return whole;
}

/**
 * All that may be there: what the server says it does not serve is not asked for, a request each. A
 * group that does not answer now may answer then.
 */
async function kindsThere({
  kubernetes,
  signal,
}: SnapshotRequest): Promise<readonly SnapshotKind[]> {
  const { resources, unavailable } = await kubernetes.resources(
    signal === undefined ? {} : { signal },
  );
  const served = new Set(resources.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  return SNAPSHOT_KINDS.filter(
    ({ apiVersion, kind, optional }) =>
      optional !== true || served.has(`${apiVersion} ${kind}`) || unavailable.includes(apiVersion),
  );
}

function isOf(kind: SnapshotKind): (file: SnapshotFile) => boolean {
  return (file) => file.kind === kind.kind && file.apiVersion === kind.apiVersion;
}

/** `kube-system` lives as long as its cluster: its uid is the cluster's. */
async function identify({
  kubernetes,
  server,
  signal,
}: SnapshotRequest): Promise<SnapshotManifest['cluster']> {
  const call = signal === undefined ? {} : { signal };
  const { gitVersion } = await kubernetes.version(call);
  const address = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
  const uid = (await kubernetes.get(address, call))?.metadata.uid;
  return {
    kubernetes: gitVersion,
    ...(server === undefined ? {} : { server }),
    ...(uid === undefined ? {} : { uid }),
  };
}
