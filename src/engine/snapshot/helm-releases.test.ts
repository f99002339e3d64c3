/**
 * Helm's records of a CNI in a snapshot. Goal: only what is needed is asked for and kept, secrets are
 * gone, what cannot be read is named, and intake takes the files for what they are.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { snapshotMemory } from '../../../test/support/snapshot-memory.ts';
import { RegaugeError } from '../../base/errors.ts';
import { deriveFacts } from '../../intake/facts.ts';
import { readInput } from '../../intake/read-input.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { KubernetesReads, PageOptions } from '../../ports/index.ts';
import { readReleases } from './helm-releases.ts';

interface Given {
  readonly name?: string;
  readonly namespace?: string;
  readonly revision?: number;
  readonly status?: string;
  readonly version?: string;
  readonly values?: object;
  readonly release?: string;
}

function record(given: Given): string {
  const { name = 'cilium', revision = 1, status = 'deployed', version = '1.16.5' } = given;
  const json = JSON.stringify({
    name,
    version: revision,
    info: { status, last_deployed: '2026-11-23T12:00:00Z' },
    chart: { metadata: { name: 'cilium', version, appVersion: version }, templates: [] },
    config: given.values ?? {},
    manifest: 'kind: Secret\nstringData: {password: manifest-secret}',
  });
  return gzipSync(json).toString('base64');
}

function secret(given: Given = {}): KubeObject {
  const { name = 'cilium', namespace = 'kube-system', revision = 1, status = 'deployed' } = given;
  const release = given.release ?? Buffer.from(record(given), 'latin1').toString('base64');
  const object = {
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      namespace,
      labels: { owner: 'helm', name, version: String(revision), status },
    },
    type: 'helm.sh/release.v1',
    data: { release },
  };
  return object as unknown as KubeObject; // items of typed lists have neither kind nor version
}

const AGENTS = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: {
    name: 'cilium',
    namespace: 'network',
    annotations: {
      'meta.helm.sh/release-name': 'our-cni',
      'meta.helm.sh/release-namespace': 'network',
    },
  },
  spec: { template: { spec: { containers: [{ name: 'cilium-agent' }] } } },
};

type Answer = readonly object[] | RegaugeError;

/** Answers by `Kind` or `Kind namespace`. */
function cluster(answers: Readonly<Record<string, Answer>>) {
  const asked: { readonly kind: string; readonly options: PageOptions }[] = [];
  const pages = async function* (_version: string, kind: string, options: PageOptions = {}) {
    asked.push({ kind, options });
    const key = options.namespace === undefined ? kind : `${kind} ${options.namespace}`;
    const answer = answers[key] ?? [];
    if (answer instanceof RegaugeError) throw answer;
    yield { items: answer, resourceVersion: '1' };
  } as KubernetesReads['pages'];
  const { sink, files } = snapshotMemory();
  return { request: { kubernetes: { pages }, sink }, asked, files };
}

const FORBIDDEN = new RegaugeError('forbidden', 'secrets is forbidden');

describe('Helm releases in a snapshot', () => {
  it('has chart, state and values, which intake takes for those of a release', async () => {
    const values = { bpf: { masquerade: true }, ipam: { mode: 'cluster-pool' } };
    const { request, files } = cluster({ Secret: [secret({ values, revision: 3 })] });
    const { releases, notRead } = await readReleases(request);
    expect(notRead).toEqual([]);
    expect(releases).toEqual([
      {
        name: 'cilium',
        namespace: 'kube-system',
        revision: 3,
        status: 'deployed',
        chart: 'cilium-1.16.5',
        values: 'helm/kube-system-cilium.values.yaml',
      },
    ]);
    const input = readInput([...files].map(([path, text]) => ({ path, text, named: false })));
    expect(input.helmValues).toMatchObject([
      { role: 'live', chartVersion: { known: true, value: '1.16.5' }, tree: { value: values } },
    ]);
    expect(deriveFacts(input).targets).toEqual([]);
  });

  it('holds no secret: neither of the values, nor of what was rendered', async () => {
    const values = {
      hubble: { tls: { ca: { key: 'secret-of-the-ca' } } },
      extraEnv: [{ name: 'API_TOKEN', value: 'secret-in-a-variable' }],
      operator: { extraArgs: ['--password=secret-in-an-argument'] },
    };
    const { request, files } = cluster({ Secret: [secret({ values })] });
    await readReleases(request);
    const all = [...files.values()].join('\n');
    expect(all).not.toMatch(/secret-(of|in)|manifest-secret|H4sI/);
    expect(all).toContain('name: API_TOKEN');
  });

  it('asks for releases of a CNI only, by usual names and by those its DaemonSets tell', async () => {
    const { request, asked } = cluster({ DaemonSet: [AGENTS] });
    expect(await readReleases(request)).toEqual({ releases: [], notRead: [] });
    const { options } = asked.find(({ kind }) => kind === 'Secret') ?? {};
    expect(options?.labelSelector).toMatch(/^owner=helm,status!=superseded,name in \(.*,our-cni,/);
    expect(options?.labelSelector).toContain(',cilium,');
  });

  it('has the values that are deployed, and marks that another run was broken off', async () => {
    const deployed = secret({ revision: 4, values: { tunnelPort: 1 } });
    const status = 'pending-upgrade';
    const pending = secret({ revision: 5, status, version: '1.18.2', values: { tunnelPort: 2 } });
    const { request, files } = cluster({ Secret: [pending, deployed] });
    const { releases } = await readReleases(request);
    expect(releases).toMatchObject([{ revision: 4, status: 'deployed', chart: 'cilium-1.16.5' }]);
    expect(files.get('helm/kube-system-cilium.values.yaml')).toContain('tunnelPort: 1');
    const marks = readInput([{ path: 's.json', text: files.get('helm/secrets.json') ?? '' }]);
    expect(marks.objects.map(({ object }) => object.metadata.labels?.['status'])).toEqual([
      'pending-upgrade',
      'deployed',
    ]);
    expect(marks.kindsListed).toEqual([]);
  });

  it('reads releases that Helm keeps in ConfigMaps', async () => {
    const kept = { ...secret(), data: { release: record({ values: { tunnelPort: 7 } }) } };
    const { request, files } = cluster({ ConfigMap: [kept] });
    await readReleases(request);
    expect(files.get('helm/kube-system-cilium.values.yaml')).toContain('tunnelPort: 7');
  });

  it('looks where a CNI may be when it may not look everywhere, and names what it may not', async () => {
    const { request, files } = cluster({
      DaemonSet: [AGENTS],
      Secret: FORBIDDEN,
      'Secret network': [secret({ name: 'our-cni', namespace: 'network', values: { bpf: {} } })],
      'Secret kube-system': FORBIDDEN,
    });
    const { releases, notRead } = await readReleases(request);
    expect(releases.map(({ name }) => name)).toEqual(['our-cni']);
    expect(files.has('helm/network-our-cni.values.yaml')).toBe(true);
    expect(notRead).toEqual([
      {
        what: 'Helm releases of the CNI in kube-system',
        why: 'secrets is forbidden',
        command: 'helm list -A -o json, and helm -n kube-system get values cilium',
      },
    ]);
  });

  it('names what cannot be unpacked, and unpacks no bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(33 * 2 ** 20)).toString('base64');
    const release = Buffer.from(bomb, 'latin1').toString('base64');
    const broken = secret({ name: 'flannel', namespace: 'kube-flannel', release: 'bm8=' });
    const { request } = cluster({ Secret: [secret({ release }), broken] });
    const { releases, notRead } = await readReleases(request);
    expect(releases).toEqual([
      { name: 'flannel', namespace: 'kube-flannel' },
      { name: 'cilium', namespace: 'kube-system' },
    ]);
    expect(notRead.map(({ what, command }) => [what, command])).toEqual([
      [
        'the values of Helm release kube-flannel/flannel, revision 1',
        'helm -n kube-flannel get values flannel',
      ],
      [
        'the values of Helm release kube-system/cilium, revision 1',
        'helm -n kube-system get values cilium',
      ],
    ]);
  });

  it('ends the snapshot when nobody answers any more', async () => {
    const { request } = cluster({ Secret: new RegaugeError('unreachable', 'refused') });
    await expect(readReleases(request)).rejects.toThrow('refused');
  });
});
