/**
 * Snapshots over a fake port: what is written, what is said of what could not be read, and that
 * nothing looks whole that is not.
 */
import { describe, expect, it } from 'vitest';
import { IDENTIFIED, snapshotMemory } from '../../../test/support/snapshot-memory.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { SnapshotManifest } from '../../model/snapshot.ts';
import type { KubernetesReads, ListPage, RawListPage, ServedResource } from '../../ports/index.ts';
import { SNAPSHOT_KINDS } from './kinds.ts';
import type { SnapshotRequest } from './request.ts';
import { takeSnapshot } from './take-snapshot.ts';

type Page = Partial<ListPage<KubeObject>> | RegaugeError;

/** Custom kinds are served where there are pages of them. */
function optionalIn(pages: Readonly<Record<string, unknown>>): readonly ServedResource[] {
  return SNAPSHOT_KINDS.filter(({ kind, optional }) => optional === true && kind in pages).map(
    ({ apiVersion, kind, resource }) => ({
      apiVersion,
      kind,
      plural: resource.split('.')[0] ?? resource,
      namespaced: true,
      verbs: ['list'],
      subresources: [],
    }),
  );
}

function fakeCluster(pages: Readonly<Record<string, readonly Page[]>>) {
  const asked: string[] = [];
  const kubernetes: SnapshotRequest['kubernetes'] = {
    ...IDENTIFIED,
    pages: async function* fakePages<T extends KubeObject>(_version: string, kind: string) {
      asked.push(kind);
      for (const page of pages[kind] ?? [{ items: [] }]) {
        if (page instanceof RegaugeError) throw page;
        yield { items: [], resourceVersion: '1', ...page } as unknown as ListPage<T>; // as asked
      }
    } as KubernetesReads['pages'],
    resources: () => Promise.resolve({ resources: optionalIn(pages), unavailable: [] }),
  };
  return { kubernetes, asked };
}

async function* brokenPods(_version: string, kind: string): AsyncGenerator<RawListPage> {
  const items = kind === 'Pod' ? '{"metadata":{"name":"a"}},{"metadata":{"na' : '';
  yield { items: Buffer.from(items), resourceVersion: '1' };
}

const TAKEN = { takenAt: '2026-11-23T10:00:00Z' };

function pod(name: string, more: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'a', ...more } };
}

describe('takeSnapshot', () => {
  it('writes a typed list for each kind, also an empty one, and says that it is complete', async () => {
    const { kubernetes } = fakeCluster({ Pod: [{ items: [pod('x')] }, { items: [pod('y')] }] });
    const { files, manifests, sink } = snapshotMemory();
    const manifest = await takeSnapshot({ kubernetes, sink, ...TAKEN });
    const pods = JSON.parse(files.get('pods.json') ?? '');
    expect(pods).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'x' } }, {}] });
    expect(JSON.parse(files.get('poddisruptionbudgets.json') ?? '')).toMatchObject({
      kind: 'PodDisruptionBudgetList',
      items: [],
    });
    expect(manifests.slice(0, -1).every(({ complete }) => !complete)).toBe(true);
    expect(manifests.at(-1)).toEqual(manifest);
    expect(manifest).toMatchObject({ complete: true, cluster: { uid: 'u-1' }, notRead: [] });
  });

  it('takes out what is secret, and what no rule reads', async () => {
    const annotated = pod('x', {
      managedFields: [{ manager: 'kubectl' }],
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"a":"b"}',
        'example.com/token': 'abcd1234',
        kept: 'yes',
      },
    });
    const env = [
      { name: 'DB_PASSWORD', value: 'hunter22' },
      { name: 'GREETING', value: 'hello' },
      { name: 'IP_AUTODETECTION_METHOD', value: 'kubernetes-internal-ip' },
      { name: 'FROM', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ];
    const withEnv = { ...annotated, spec: { containers: [{ name: 'c', env }] } };
    const { kubernetes } = fakeCluster({ Pod: [{ items: [withEnv] }] });
    const { files, sink } = snapshotMemory();
    await takeSnapshot({ kubernetes, sink, ...TAKEN });
    const text = files.get('pods.json') ?? '';
    for (const secret of ['hunter22', 'hello', 'abcd1234', 'managedFields', 'last-applied'])
      expect(text).not.toContain(secret);
    expect(text).toContain('kubernetes-internal-ip');
    expect(text).toContain('"kept":"yes"');
  });

  it('names what it may not read, with the command that would, and goes on', async () => {
    const { kubernetes } = fakeCluster({
      ConfigMap: [new RegaugeError('forbidden', 'configmaps is forbidden')],
      CiliumNode: [new RegaugeError('not-found', 'no such kind')],
      PodDisruptionBudget: [new RegaugeError('not-found', 'no such kind')],
    });
    const { files, sink } = snapshotMemory();
    const { notRead, complete } = await takeSnapshot({ kubernetes, sink, ...TAKEN });
    expect(notRead.map(({ what, why }) => [what, why])).toEqual([
      ['configmaps', 'configmaps is forbidden'],
      ['poddisruptionbudgets', 'no such kind'],
    ]);
    expect(notRead[0]?.command).toBe('kubectl get configmaps -A -o json');
    expect(files.has('configmaps.json')).toBe(false);
    expect(complete).toBe(true);
  });

  it('does not ask for custom kinds that are not served, but where nobody told', async () => {
    const { kubernetes, asked } = fakeCluster({ CiliumNode: [{ items: [] }] });
    const { sink } = snapshotMemory();
    const silent = {
      ...kubernetes,
      resources: async () => ({
        ...(await kubernetes.resources()),
        unavailable: ['argoproj.io/v1alpha1'],
      }),
    };
    await takeSnapshot({ kubernetes: silent, sink, ...TAKEN });
    expect(asked).toEqual(expect.arrayContaining(['Pod', 'CiliumNode', 'Application']));
    expect(asked).not.toContain('HelmRelease');
  });

  it('leaves no file of a list that broke in its middle', async () => {
    const { kubernetes } = fakeCluster({
      Pod: [{ items: [pod('x')] }, new RegaugeError('timeout', 'no answer in 60 s')],
    });
    const { files, abandoned, sink } = snapshotMemory();
    const { notRead } = await takeSnapshot({ kubernetes, sink, ...TAKEN });
    expect(abandoned).toEqual(['pods.json']);
    expect(files.has('pods.json')).toBe(false);
    expect(notRead.map(({ what }) => what)).toEqual(['pods']);
  });

  it('leaves no file of a list whose text is broken, and goes on with the other kinds', async () => {
    const { kubernetes } = fakeCluster({ Node: [{ items: [pod('n')] }] });
    const { files, abandoned, sink } = snapshotMemory();
    const manifest = await takeSnapshot({
      kubernetes: { ...kubernetes, rawPages: brokenPods },
      sink,
      ...TAKEN,
    });
    expect(files.has('pods.json')).toBe(false);
    expect(abandoned).toEqual(['pods.json']);
    expect(files.has('nodes.json')).toBe(true);
    expect(manifest.notRead).toContainEqual(
      expect.objectContaining({ what: 'pods', why: expect.stringContaining('is not JSON') }),
    );
  });

  it('ends when nobody is let in or nobody answers, and stays unfinished', async () => {
    const { kubernetes } = fakeCluster({ Pod: [new RegaugeError('unreachable', 'refused')] });
    const { manifests, sink } = snapshotMemory();
    await expect(takeSnapshot({ kubernetes, sink, ...TAKEN })).rejects.toThrow('refused');
    expect(manifests.some(({ complete }) => complete)).toBe(false);
  });

  it('forgets what came before a list that began again', async () => {
    const { kubernetes } = fakeCluster({
      Pod: [{ items: [pod('old')] }, { items: [pod('new')], restarted: true }],
    });
    const { files, sink } = snapshotMemory();
    await takeSnapshot({ kubernetes, sink, ...TAKEN });
    expect(files.get('pods.json')).not.toContain('"old"');
    expect(files.get('pods.json')).toContain('"new"');
  });

  it('goes on with an unfinished one of the same cluster, and with no other', async () => {
    const earlier: SnapshotManifest = {
      apiVersion: 'regauge.dev/v1',
      kind: 'Snapshot',
      takenAt: '2026-11-22T10:00:00Z',
      cluster: { kubernetes: 'v1.33.0', uid: 'u-1' },
      complete: false,
      files: [{ name: 'pods.json', apiVersion: 'v1', kind: 'Pod', objects: 7 }],
      notRead: [],
    };
    const same = fakeCluster({});
    const resumed = await takeSnapshot({ ...same, sink: snapshotMemory().sink, ...TAKEN, earlier });
    expect(same.asked).not.toContain('Pod');
    expect(resumed).toMatchObject({ takenAt: earlier.takenAt, complete: true });
    expect(resumed.files.find(({ name }) => name === 'pods.json')?.objects).toBe(7);
    const other = fakeCluster({});
    const cluster = { ...earlier.cluster, uid: 'u-2' };
    const sink = snapshotMemory().sink;
    await takeSnapshot({ ...other, sink, ...TAKEN, earlier: { ...earlier, cluster } });
    expect(other.asked).toContain('Pod');
  });
});
