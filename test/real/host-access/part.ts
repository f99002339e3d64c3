/**
 * Host access with real programs: what the adapter runs on a node, run here in a directory that stands for
 * the node's root, by this system's coreutils and, where it is, by busybox. The pod is a fake.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNodeHost } from '../../../src/drivers/host-access/open-node-host.ts';
import type { NodeHostPort } from '../../../src/ports/node-host.ts';
import type { Lane, Part } from '../lane.ts';
import { Skipped } from '../skipped.ts';
import { localNode } from './local-node.ts';
import { holdPacketFilters } from './packet-filter.ts';

export const HOST_ACCESS: Part = {
  name: 'host-access',
  about: 'the commands of host access with real coreutils, busybox and iptables',
  run: async (lane) => {
    if (process.platform !== 'linux') throw new Skipped('the nodes it is for run Linux');
    await holdPrograms(lane, 'coreutils', []);
    const busybox = busyboxHere();
    if (busybox === undefined) lane.skip('busybox', 'there is none on the path');
    else await holdPrograms(lane, 'busybox', [busybox]);
    await holdPacketFilters(lane);
  },
};

/** Also by `REGAUGE_BUSYBOX`. */
function busyboxHere(): string | undefined {
  const named = process.env['REGAUGE_BUSYBOX'];
  if (named !== undefined) return named;
  try {
    return execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

const NODE = 'here';
const CONF = '/etc/cni/net.d';

async function holdPrograms(lane: Lane, name: string, prefix: readonly string[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'regauge-host-'));
  const undo = lane.onEnd(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, CONF), { recursive: true });
  const { nodeHost } = openNodeHost({
    kubernetes: localNode(root, prefix),
    distribution: 'kubeadm',
    hostAccess: { run: 'lane', mayCreatePods: true },
  });
  for (const [title, test] of Object.entries(TESTS)) {
    await lane.check(`${name}: ${title}`, () => test(nodeHost, (path) => join(root, path)));
  }
  await undo();
}

type Test = (host: NodeHostPort, at: (path: string) => string) => Promise<void>;

const TESTS: Readonly<Record<string, Test>> = {
  'writes a file whole, and leaves nothing beside it': async (host, at) => {
    const text = `ü ${'x'.repeat(1_000_000)}\n`;
    await host.write(NODE, `${CONF}/05-a.conf`, text);
    same(readFileSync(at(`${CONF}/05-a.conf`), 'utf8') === text, true);
    same(readdirSync(at(CONF)), ['05-a.conf']);
    same(await host.read(NODE, `${CONF}/05-a.conf`), text);
  },
  'writes an empty file, and one in a directory that is not there': async (host, at) => {
    await host.write(NODE, `${CONF}/empty`, '');
    same(await host.read(NODE, `${CONF}/empty`), '');
    await host.write(NODE, '/var/lib/new/deep/file', 'x');
    same(readFileSync(at('/var/lib/new/deep/file'), 'utf8'), 'x');
  },
  'keeps the rights of a file that was there': async (host, at) => {
    const path = `${CONF}/kubeconfig`;
    await host.write(NODE, path, 'old', 0o600);
    await host.write(NODE, path, 'new');
    same(statSync(at(path)).mode & 0o777, 0o600);
    same(readFileSync(at(path), 'utf8'), 'new');
  },
  'lists names as they are, hidden ones too, and tells no directory from an empty one': async (
    host,
    at,
  ) => {
    mkdirSync(at('/etc/cni/empty'));
    writeFileSync(at('/etc/cni/with space'), '');
    writeFileSync(at('/etc/cni/.hidden'), '');
    same(await host.list(NODE, '/etc/cni/empty'), []);
    same(await host.list(NODE, '/etc/cni/none'), undefined);
    same(await host.list(NODE, '/etc/cni/.hidden'), undefined);
    const names = (await host.list(NODE, '/etc/cni')) ?? [];
    same(names.toSorted(), ['.hidden', 'empty', 'net.d', 'with space']);
  },
  'follows links as the node means them': async (host, at) => {
    mkdirSync(at('/data/v1/bin'), { recursive: true });
    writeFileSync(at('/data/v1/bin/flannel'), 'binary');
    symlinkSync('/data/v1', at('/data/current'));
    symlinkSync('v1', at('/data/near'));
    same(await host.list(NODE, '/data/current/bin'), ['flannel']);
    same(await host.read(NODE, '/data/current/bin/flannel'), 'binary');
    same(await host.read(NODE, '/data/near/bin/flannel'), 'binary');
    same(await host.read(NODE, '/data/current/bin/none'), undefined);
  },
  'renames once, however often it is asked': async (host, at) => {
    await host.write(NODE, `${CONF}/a.conf`, 'a');
    await host.rename(NODE, `${CONF}/a.conf`, `${CONF}/a.conf.off`);
    await host.rename(NODE, `${CONF}/a.conf`, `${CONF}/a.conf.off`);
    same(existsSync(at(`${CONF}/a.conf`)), false);
    const none = await host.rename(NODE, `${CONF}/a.conf`, `${CONF}/b`).then(
      () => 'done',
      (error: { readonly code: string }) => error.code,
    );
    same(none, 'not-found');
  },
  'removes a tree, and nothing where there is nothing': async (host, at) => {
    await host.write(NODE, '/var/lib/cni/networks/x/10.0.0.1', 'a');
    await host.remove(NODE, '/var/lib/cni/networks/x');
    await host.remove(NODE, '/var/lib/cni/networks/x');
    same(existsSync(at('/var/lib/cni/networks/x')), false);
    same(existsSync(at('/var/lib/cni/networks')), true);
  },
  'names the links of the host': async (host) => {
    same((await host.links(NODE)).includes('lo'), true);
  },
};

function same(got: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`got ${left?.slice(0, 200)}, wanted ${right?.slice(0, 200)}`);
}
