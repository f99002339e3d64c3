/**
 * Lines of knowledge/talos-and-cni-selection.md 4.2 and 4.4 to 4.6 about manifests and configs, each
 * test named after its line; those about a machine's steps are in talos-machine.test.ts, 4.1 to 4.3
 * in node/talos-file-system.test.ts and node/talos-runtime.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { changedPaths, needReboot } from './immediate-changes.ts';
import {
  backfillInventory,
  createMissingManifests,
  syncManifests,
} from './manifests-controller.ts';
import { createTalosMachine } from './talos-machine.ts';
import { type ManifestSettings, renderTalosManifests } from './talos-manifests.ts';
import { type FakeWorld, fakeNode, fakeWorld } from './testing.ts';

const EVERY = ['1.7.5', '1.8.0', '1.10.5', '1.13.9', '1.14.0-rc.1'];

function rendered(talosVersion: string, change: Partial<ManifestSettings> = {}) {
  return renderTalosManifests({
    talosVersion,
    kubernetesVersion: '1.33.0',
    flannelVersion: 'v0.26.7',
    cniName: 'flannel',
    proxyDisabled: false,
    podSubnets: ['10.244.0.0/16'],
    dnsDomain: 'cluster.local',
    clusterDns: '10.96.0.10',
    kubePrismPort: 7445,
    ...change,
  });
}

function daemonSet(version: string, change: Partial<ManifestSettings> = {}, name = 'kube-flannel') {
  const world = fakeWorld();
  createMissingManifests(world, 'cp', version, rendered(version, change));
  return world.store.get('DaemonSet', 'kube-system', name);
}

function initsOf(version: string): unknown {
  return daemonSet(version)?.spec.template.spec.initContainers?.map(({ name }) => name);
}

/** Names of the environment that flanneld has. */
function variablesOf(change: Partial<ManifestSettings>): readonly string[] {
  const [flanneld] = daemonSet('1.10.5', change)?.spec.template.spec.containers ?? [];
  return (flanneld?.env ?? []).map(({ name }) => name);
}

describe('4.2 CNI binaries', () => {
  it('the 1.7 Flannel DaemonSet has init install-cni; from 1.8 on only install-config', () => {
    expect(initsOf('1.7.5')).toEqual(['install-cni', 'install-config']);
    expect(initsOf('1.8.0')).toEqual(['install-config']);
  });
});

describe('4.4 how Talos deploys Flannel and kube-proxy', () => {
  it('has ClusterRole, ClusterRoleBinding, ServiceAccount, ConfigMap and DaemonSet', () => {
    const named = rendered('1.10.5').map(
      ({ kind, metadata: { namespace = '', name } }) => `${kind} ${namespace}/${name}`,
    );
    expect(named.slice(0, 5)).toEqual([
      'ClusterRole /flannel',
      'ClusterRoleBinding /flannel',
      'ServiceAccount kube-system/flannel',
      'ConfigMap kube-system/kube-flannel-cfg',
      'DaemonSet kube-system/kube-flannel',
    ]);
  });

  it('runs it on the host, everywhere, with NET_ADMIN and NET_RAW and its three host paths', () => {
    const found = daemonSet('1.10.5');
    expect(found?.metadata.labels).toEqual({ tier: 'node', 'k8s-app': 'flannel' });
    const spec = found?.spec.template.spec;
    expect(spec?.hostNetwork).toBe(true);
    expect(
      spec?.tolerations?.every(({ key, operator }) => key === undefined && operator === 'Exists'),
    ).toBe(true);
    expect(spec?.containers[0]).toMatchObject({
      name: 'kube-flannel',
      securityContext: { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
    });
    const paths = spec?.volumes?.flatMap(({ hostPath }) => hostPath?.path ?? []);
    expect(paths).toEqual(expect.arrayContaining(['/run/flannel', '/etc/cni/net.d']));
  });

  it('has a conf 10-flannel.conflist, named cbr0, of 1.0.0, with flannel and portmap', () => {
    const { args } = daemonSet('1.10.5')?.spec.template.spec.initContainers?.[0] ?? {};
    expect(args?.at(-1)).toBe('/etc/cni/net.d/10-flannel.conflist');
    expect(data('1.10.5', 'cni-conf.json')).toEqual({
      name: 'cbr0',
      cniVersion: '1.0.0',
      plugins: [
        { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    });
  });

  it.each(EVERY)('%s: vxlan on UDP 4789; 1.14 adds EnableNFTables', (version) => {
    const conf = data(version, 'net-conf.json');
    expect(conf).toMatchObject({
      Network: '10.244.0.0/16',
      Backend: { Type: 'vxlan', Port: 4789 },
    });
    expect(conf['EnableNFTables']).toBe(version.startsWith('1.14') ? true : undefined);
  });

  it('reaches the API through KubePrism where that is on, else through the ClusterIP', () => {
    expect(variablesOf({})).toContain('KUBERNETES_SERVICE_HOST');
    expect(variablesOf({ kubePrismPort: undefined })).not.toContain('KUBERNETES_SERVICE_HOST');
  });

  it.each([
    ['1.30.0', 'iptables'],
    ['1.31.0', 'nftables'],
  ])('kube-proxy is a DaemonSet; with k8s %s its mode is %s', (kubernetesVersion, mode) => {
    const proxy = daemonSet('1.10.5', { kubernetesVersion }, 'kube-proxy');
    expect(proxy?.spec.template.spec.containers[0]?.command).toContain(`--proxy-mode=${mode}`);
    expect(daemonSet('1.10.5', { proxyDisabled: true }, 'kube-proxy')).toBeUndefined();
  });
});

function data(version: string, key: string): Readonly<Record<string, unknown>> {
  const world = fakeWorld();
  createMissingManifests(world, 'cp', version, rendered(version));
  const map = world.store.get('ConfigMap', 'kube-system', 'kube-flannel-cfg');
  const parsed: unknown = JSON.parse(map?.data?.[key] ?? '{}');
  // A JSON object: its fields are what each test looks at.
  return parsed as Readonly<Record<string, unknown>>;
}

const INVENTORY = 'talos-bootstrap-manifests-inventory';
const FLANNEL_KEY = 'kube-system_kube-flannel_apps_DaemonSet';

function inventory(world: FakeWorld): readonly string[] {
  return Object.keys(world.store.get('ConfigMap', 'kube-system', INVENTORY)?.data ?? {});
}

function hasFlannel(world: FakeWorld): boolean {
  return world.store.get('DaemonSet', 'kube-system', 'kube-flannel') !== undefined;
}

describe('4.5 what happens when cni.name becomes none', () => {
  const none = { cniName: 'none' };

  it('DaemonSet, ConfigMap, RBAC and all of Flannel stay', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'cp', '1.10.5', rendered('1.10.5'));
    const before = world.store.list('ConfigMap').length;
    createMissingManifests(world, 'cp', '1.10.5', rendered('1.10.5', none));
    expect(hasFlannel(world)).toBe(true);
    expect(world.store.list('ConfigMap')).toHaveLength(before);
    expect(world.store.get('ServiceAccount', 'kube-system', 'flannel')).toBeDefined();
  });

  it('a control plane that was left on flannel keeps creating', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'cp-1', '1.10.5', rendered('1.10.5', none));
    expect(hasFlannel(world)).toBe(false);
    createMissingManifests(world, 'cp-2', '1.10.5', rendered('1.10.5'));
    expect(hasFlannel(world)).toBe(true);
  });

  it('≥ 1.13: an inventory of <ns>_<name>_<group>_<Kind> with empty values, and annotated objects', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'cp', '1.13.0', rendered('1.13.0'));
    expect(inventory(world)).toEqual(
      expect.arrayContaining([
        FLANNEL_KEY,
        '_flannel_rbac.authorization.k8s.io_ClusterRole',
        'kube-system_kube-flannel-cfg__ConfigMap',
      ]),
    );
    const { annotations } =
      world.store.get('DaemonSet', 'kube-system', 'kube-flannel')?.metadata ?? {};
    expect(annotations).toMatchObject({ 'config.k8s.io/owning-inventory': INVENTORY });
  });

  it('≥ 1.13: objects that were there before are back-filled into it', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'cp', '1.12.0', rendered('1.12.0'));
    expect(inventory(world)).toEqual([]);
    backfillInventory(world, rendered('1.13.0'));
    expect(inventory(world)).toContain(FLANNEL_KEY);
  });

  it('≥ 1.13: entries stay when the manifest disappears from the config', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'cp', '1.13.0', rendered('1.13.0'));
    createMissingManifests(world, 'cp', '1.13.0', rendered('1.13.0', none));
    expect(inventory(world)).toContain(FLANNEL_KEY);
  });

  it('hazard: an innocent upgrade-k8s then removes Flannel, and kube-proxy when disabled', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'cp', '1.13.0', rendered('1.13.0'));
    syncManifests(world, rendered('1.13.0', { cniName: 'none', proxyDisabled: true }), true);
    expect(world.store.list('DaemonSet')).toEqual([]);
  });

  it('rollback hazard: deleted by hand, flannel is not created again; after a prune it is', () => {
    const byHand = fakeWorld();
    createMissingManifests(byHand, 'cp', '1.13.0', rendered('1.13.0'));
    byHand.store.delete('DaemonSet', 'kube-system', 'kube-flannel');
    createMissingManifests(byHand, 'cp', '1.13.0', rendered('1.13.0'));
    expect(hasFlannel(byHand)).toBe(false);

    const pruned = fakeWorld();
    createMissingManifests(pruned, 'cp', '1.13.0', rendered('1.13.0'));
    syncManifests(pruned, rendered('1.13.0', none), true);
    expect(inventory(pruned)).not.toContain(FLANNEL_KEY);
    createMissingManifests(pruned, 'cp', '1.13.0', rendered('1.13.0'));
    expect(hasFlannel(pruned)).toBe(true);
  });
});

describe('4.6 reboot requirement and apply modes', () => {
  it.each([
    'cluster.network.cni',
    'cluster.proxy',
    'machine.network',
    'machine.sysctls',
    'machine.sysfs',
    'machine.kernel',
    'machine.kubelet',
    'machine.features.hostDNS',
    'machine.features.kubePrism',
    'machine.features.kubernetesTalosAPIAccess',
    'machine.install',
    'machine.pods',
    'machine.nodeLabels',
    'machine.nodeAnnotations',
    'machine.nodeTaints',
    'machine.registries',
    'machine.logging',
    'machine.time',
  ])('%s is applied live', (path) => {
    expect(needReboot(changedPaths(nested(path, {}), nested(path, { x: 'y' })))).toEqual([]);
  });

  it.each(['machine.files', 'machine.udev', 'machine.env', 'machine.systemDiskEncryption'])(
    '%s needs a reboot',
    (path) => {
      expect(needReboot(changedPaths(nested(path, {}), nested(path, { x: 'y' })))).not.toEqual([]);
    },
  );

  it('a try takes back the config, back to what is on disk, and no side effect', () => {
    const { world, machine } = talosMachine('1.13.9');
    createMissingManifests(world, 'cp', '1.13.9', rendered('1.13.9'));
    machine.patchConfig('cluster: { network: { cni: { name: none } } }\n', 'try');
    world.store.delete('DaemonSet', 'kube-system', 'kube-flannel');
    machine.patchConfig('machine: { sysctls: { a: "1" } }\n', 'try');
    world.kernel.runUntil(world.kernel.now() + 61_000);
    expect(machine.config()).toBe(CONFIG);
    expect(hasFlannel(world)).toBe(false);
  });

  it('a dry run changes nothing and says how it would be applied', () => {
    const { machine } = talosMachine('1.13.9');
    const answer = machine.talos?.applyConfig(`${CONFIG}  proxy:\n    disabled: true\n`, 'auto', {
      dryRun: true,
    });
    expect(answer).toEqual({ ok: true, mode: 'no-reboot' });
    expect(machine.config()).toBe(CONFIG);
  });

  it('1.14 applies the whole config without a reboot', () => {
    const { machine } = talosMachine('1.14.0');
    expect(
      machine.patchConfig('machine: { env: { http_proxy: http://p } }\n', 'no-reboot'),
    ).toMatchObject({ ok: true });
  });
});

const CONFIG = `version: v1alpha1
machine:
  type: controlplane
cluster:
  network:
    podSubnets: [10.244.0.0/16]
`;

function talosMachine(version: string) {
  const world = fakeWorld({ distributionVersion: version });
  const machine = createTalosMachine({
    world,
    node: () => node,
    config: CONFIG,
    version,
    evict: () => ({ evicted: true }),
    onConfig: () => undefined,
    onVersion: () => undefined,
    loseFiles: () => undefined,
  });
  const node = fakeNode(world, 'talos-cp-01', () => machine);
  return { world, machine };
}

/** `a.b.c` as nested maps with the value in the innermost, among others that do not change. */
function nested(path: string, value: object): object {
  return path
    .split('.')
    .toReversed()
    .reduce<object>((inner, key) => ({ [key]: inner, debug: 'as it was' }), value);
}
