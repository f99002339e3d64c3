/**
 * What a snapshot holds of the machines, against a served twin through both real adapters: in the form
 * that intake knows, without secrets, and with a plain word for whatever could not be read.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCheck } from '../src/cli/commands/check.ts';
import type { CliContext } from '../src/cli/context.ts';
import type { LiveFlags } from '../src/cli/flags.ts';
import { readLive } from '../src/cli/input/live-cluster.ts';
import type { FilesRead } from '../src/drivers/files/read-files.ts';
import { readInput } from '../src/intake/read-input.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { TWO_WEBS, tinyCluster } from './support/small-cluster.ts';
import { type ServedTwin, serveTwin } from '../src/twin/wire/serve-twin.ts';
import { type ServedTalos, serveTalos } from '../src/twin/wire/talos/serve-talos.ts';
import { asDistribution } from './support/other-distributions.ts';

interface Served {
  readonly world: TwinWorld;
  readonly twin: ServedTwin;
  readonly talos: ServedTalos | undefined;
  readonly directory: string;
  readonly flags: LiveFlags;
}

const NODES = ['t-cp-01', 't-wrk-01', 't-wrk-02'];
const CONF = '/etc/cni/net.d';
const CALICO = '{"cniVersion":"0.3.1","name":"k","type":"calico","token":"s3cr3t-t0ken"}';

let open: Served | undefined;
let failures: unknown[] = [];

async function served(distribution: 'talos' | 'rke2' = 'talos', workers = 2): Promise<Served> {
  const input = asDistribution(tinyCluster({ workers, workloads: [TWO_WEBS] }), distribution);
  const { world } = buildWorld(input, { seed: 1 });
  const now = Date.now();
  const twin = await serveTwin({
    world,
    clusterName: 'nodes',
    speed: 20,
    host: '127.0.0.1',
    port: 0,
    now,
    onFailure: (error) => failures.push(error),
  });
  const talos =
    distribution === 'talos'
      ? await serveTalos({ world, time: twin.pace, now, port: 0 })
      : undefined;
  const directory = mkdtempSync(join(tmpdir(), 'regauge-nodes-'));
  writeFileSync(join(directory, 'kubeconfig'), twin.kubeconfig, { mode: 0o600 });
  const flags = { live: true, kubeconfig: join(directory, 'kubeconfig') };
  open = { world, twin, talos, directory, flags };
  return open;
}

beforeEach(() => {
  failures = [];
});

afterEach(async () => {
  await open?.talos?.close();
  await open?.twin.close();
  if (open !== undefined) rmSync(open.directory, { recursive: true, force: true });
  open = undefined;
  if (failures.length > 0) throw failures[0];
});

/** A talosconfig of the test as a file. */
function configFile({ directory }: Served, text: string, name = 'talosconfig'): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function live({ directory }: Served, flags: LiveFlags): Promise<FilesRead> {
  const stderr = { isTTY: false, write: () => true };
  // What a snapshot uses of it; there is no home but the test's own.
  const process = { env: { HOME: directory }, stderr } as unknown as CliContext['process'];
  return readLive({ process } as CliContext, flags);
}

function reasons({ skipped }: FilesRead): string {
  return skipped.map(({ path, reason }) => `${path}: ${reason}`).join('\n');
}

describe('machines in a snapshot', () => {
  it('come as their own tools print them, and intake knows every file', async () => {
    const target = await served();
    const files = target.world.nodes.get('t-wrk-02')?.files;
    files?.write(`${CONF}/99-other.conflist`, CALICO);
    files?.write(`${CONF}/calico-kubeconfig`, 'token: s3cr3t-t0ken');
    const talosconfig = configFile(target, target.talos?.talosconfig ?? '');
    const read = await live(target, { ...target.flags, talosconfig });
    expect(reasons(read)).toBe('');
    const input = readInput(read.files);
    expect(input.machineConfigs.map(({ node }) => node.known && node.value)).toEqual(NODES);
    const listed = input.listings.filter(({ directory }) => directory === CONF);
    expect(listed.map(({ node }) => node.known && node.value)).toEqual(NODES);
    expect(listed[2]?.entries.map(({ name }) => name)).toEqual([
      '10-flannel.conflist',
      '99-other.conflist',
      'calico-kubeconfig',
    ]);
    expect(
      input.cniConfs.filter(({ node }) => node.known && node.value === 't-wrk-02'),
    ).toHaveLength(2);
    const lost = input.ignored.filter(
      ({ reason }) => !/empty list|config tells|objects tell/.test(reason),
    );
    expect(lost).toEqual([]);
    const all = read.files.map(({ text }) => text).join('\n');
    expect(all).not.toContain('s3cr3t-t0ken');
    expect(all).toContain('serviceHostDNSAddress');
  });

  it('let check judge what objects alone do not tell', async () => {
    const target = await served();
    target.world.nodes.get('t-wrk-01')?.files.write(`${CONF}/05-cilium.conflist`, '{"name": ');
    const talosconfig = configFile(target, target.talos?.talosconfig ?? '');
    const read = await live(target, { ...target.flags, talosconfig });
    const { findings } = await runCheck({ paths: [], live: read });
    const evidence = findings.flatMap((each) => each.evidence.map(({ source }) => source));
    expect(evidence.some((source) => source.includes('nodes/t-wrk-01/etc/cni/net.d'))).toBe(true);
  });

  it('can be asked for some nodes only, and there must be such nodes', async () => {
    const target = await served();
    const talosconfig = configFile(target, target.talos?.talosconfig ?? '');
    const read = await live(target, { ...target.flags, talosconfig, nodes: '10.0.0.11' });
    const of = new Set(
      read.files.flatMap(({ path }) => /\/nodes\/([^/]+)\//.exec(path)?.[1] ?? []),
    );
    expect([...of]).toEqual(['t-wrk-01']);
    const asked = live(target, { ...target.flags, talosconfig, nodes: 'nobody' });
    await expect(asked).rejects.toMatchObject({ message: 'the cluster has no node "nobody"' });
  });

  it('are a gap without a talosconfig, and the rest is there', async () => {
    const target = await served();
    const read = await live(target, target.flags);
    expect(reasons(read)).toContain('there is no talosconfig at');
    expect(reasons(read)).toContain('no pod that runs there has it mounted');
    expect(read.files.some(({ path }) => path.endsWith('pods.json'))).toBe(true);
    // Through the mount that Flannel has of it.
    expect(read.files.filter(({ path }) => path.endsWith('subnet.env'))).toHaveLength(3);
    expect(target.world.store.list('Pod', 'regauge-system')).toEqual([]);
  });

  it('are an error with a talosconfig that was named and is not there', async () => {
    const target = await served();
    const asked = live(target, { ...target.flags, talosconfig: join(target.directory, 'none') });
    await expect(asked).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('tell what a role may not read, once for all nodes', async () => {
    const target = await served();
    const text = await target.talos?.talosconfigFor(['os:reader']);
    const talosconfig = configFile(target, text ?? '');
    const read = await live(target, { ...target.flags, talosconfig });
    const told = reasons(read);
    expect(told).toMatch(
      /the machine config of all 3 nodes: .*has os:reader, and this takes os:admin/,
    );
    expect(told).toMatch(/the CNI confs of all 3 nodes: .*os:admin/);
    expect(read.skipped).toHaveLength(3);
    const input = readInput(read.files);
    expect(input.listings.filter(({ directory }) => directory === CONF)).toHaveLength(3);
    expect(input.machineConfigs).toEqual([]);
  });

  it('tell that the endpoint is a worker, which forwards nothing', async () => {
    const target = await served();
    const talosconfig = configFile(target, target.talos?.talosconfig ?? '');
    const endpoints = target.talos?.endpoints.get('t-wrk-01') ?? '';
    const read = await live(target, { ...target.flags, talosconfig, endpoints });
    expect(reasons(read)).toMatch(
      /the machine of t-cp-01.*t-wrk-02: endpoint .* is a worker, and only control planes forward calls/,
    );
    // Of itself it tells all.
    expect(readInput(read.files).machineConfigs).toHaveLength(1);
  });

  it('tell a talosconfig of another cluster apart, and do not ask every node', async () => {
    const target = await served();
    const other = await serveTalos({
      world: target.world,
      time: target.twin.pace,
      now: Date.now(),
      port: 0,
    });
    try {
      const endpoints = target.talos?.endpoints.get('t-cp-01') ?? '';
      const talosconfig = configFile(target, other.talosconfig);
      const read = await live(target, { ...target.flags, talosconfig, endpoints });
      expect(read.skipped).toHaveLength(1);
      expect(reasons(read)).toContain('is signed by an authority that is not the talosconfig’s');
      expect(reasons(read)).toContain('is this the talosconfig of this cluster?');
    } finally {
      await other.close();
    }
  });

  it('tell a talosconfig that has expired before anybody is asked', async () => {
    const target = await served();
    const YEARS = 20 * 365 * 86_400_000;
    const old = await serveTalos({
      world: target.world,
      time: target.twin.pace,
      now: Date.now() - YEARS,
      port: 0,
    });
    await old.close();
    const talosconfig = configFile(target, old.talosconfig);
    const asked = live(target, { ...target.flags, talosconfig });
    await expect(asked).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('expired on'),
    });
  });
});

describe('nodes of other distributions in a snapshot', () => {
  it('are not read by the hundred unless somebody asks for it', async () => {
    const target = await served('rke2', 100);
    const read = await live(target, target.flags);
    expect(reasons(read)).toContain('there are 101 nodes');
    expect(read.files.some(({ path }) => path.includes('/nodes/'))).toBe(false);
    const some = await live(target, { ...target.flags, nodes: 't-wrk-001,t-wrk-002' });
    expect(some.files.filter(({ path }) => path.endsWith('subnet.env'))).toHaveLength(2);
  });

  it('are read through mounts, and nothing is made', async () => {
    const target = await served('rke2');
    const read = await live(target, target.flags);
    expect(read.files.filter(({ path }) => path.endsWith('subnet.env'))).toHaveLength(3);
    expect(reasons(read)).toContain('--host-access');
    expect(target.world.store.list('Pod', 'regauge-system')).toEqual([]);
  });

  it('are read in pods where that is allowed, and nothing of them stays', async () => {
    const target = await served('rke2');
    const read = await live(target, { ...target.flags, hostAccess: true });
    expect(reasons(read)).toBe('');
    const input = readInput(read.files);
    const listed = input.listings.filter(({ directory }) => directory === CONF);
    expect(listed.map(({ node }) => node.known && node.value)).toEqual(NODES);
    expect(listed[0]?.entries).toMatchObject([
      { name: '10-flannel.conflist', type: 'file', mode: 0o644 },
    ]);
    expect(input.cniConfs).toHaveLength(3);
    const left = target.world.store
      .list('Pod', 'regauge-system')
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(left).toEqual([]);
    const namespace = target.world.store.get('Namespace', undefined, 'regauge-system');
    expect(namespace === undefined || namespace.metadata.deletionTimestamp !== undefined).toBe(
      true,
    );
  });
});
