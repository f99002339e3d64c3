/** What the adapter makes of answers: snapshots that are whole, installers that fail, names of nodes. */
import { createHash } from 'node:crypto';
import type { ConnectRouter } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from 'vitest';
import { contextFor, fakeApid, testAuthority } from '../../../test/support/fake-apid.ts';
import { State } from '../../knowledge/talos-api/cosi/state.ts';
import { ImageService } from '../../knowledge/talos-api/machine/image.ts';
import { LifecycleService } from '../../knowledge/talos-api/machine/lifecycle.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import type { EtcdSnapshotSink } from '../../ports/node-host.ts';
import { etcdSnapshot } from './etcd.ts';
import { NodeDirectory } from './node-directory.ts';
import { talosNodeHost } from './node-host.ts';
import { TalosChannel } from './talos-channel.ts';
import { upgradeNode } from './upgrade.ts';

const NODE = '10.0.0.7';
const open: { close(): void | Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function channelTo(routes: (router: ConnectRouter) => void): Promise<TalosChannel> {
  const trusted = await testAuthority();
  const clients = trusted.authority.certificate;
  const server = await fakeApid({ server: trusted.server, clients, routes });
  const context = await contextFor(trusted, [server.address]);
  const channel = new TalosChannel({ context, backOffMs: 1 });
  open.push(channel, server);
  return channel;
}

function snapshotBytes(): Buffer {
  const content = Buffer.alloc(2048, 'x');
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
}

class Memory implements EtcdSnapshotSink {
  pieces: Uint8Array[] = [];

  async begin(): Promise<void> {
    this.pieces = [];
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.pieces.push(bytes);
  }
}

function version(router: ConnectRouter, tag: string): void {
  router.rpc(MachineService.method.version, () => ({ messages: [{ version: { tag } }] }));
}

describe('etcd snapshots', () => {
  it('are whole when etcd’s digest says so, whatever the pieces', async () => {
    const bytes = snapshotBytes();
    const channel = await channelTo((router) =>
      router.rpc(MachineService.method.etcdSnapshot, async function* () {
        for (let at = 0; at < bytes.length; at += 17) yield { bytes: bytes.subarray(at, at + 17) };
      }),
    );
    const sink = new Memory();
    expect(await etcdSnapshot(channel, NODE, sink)).toMatchObject({ bytes: bytes.length });
    expect(Buffer.concat(sink.pieces)).toEqual(bytes);
  });

  it.each([
    ['lost its end', snapshotBytes().subarray(0, 2048)],
    ['was changed', Buffer.concat([Buffer.from('y'), snapshotBytes().subarray(1)])],
    ['is empty', Buffer.alloc(0)],
  ])('are none when the stream ended well and %s', async (_name, bytes) => {
    const channel = await channelTo((router) =>
      router.rpc(MachineService.method.etcdSnapshot, async function* () {
        yield { bytes };
      }),
    );
    await expect(etcdSnapshot(channel, NODE, new Memory())).rejects.toMatchObject({
      message: expect.stringContaining('the digest at its end is missing or wrong'),
      hint: expect.stringContaining('is no backup'),
    });
  });
});

describe('upgrades', () => {
  it('stop where the installer fails, with its last words, before anything is drained', async () => {
    const channel = await channelTo((router) => {
      version(router, 'v1.13.1');
      router.rpc(ImageService.method.pull, async function* () {
        yield { response: { case: 'name' as const, value: 'pulled' } };
      });
      router.rpc(LifecycleService.method.upgrade, async function* ({ source }) {
        const value = `no space for ${source?.imageName ?? ''}`;
        yield { progress: { response: { case: 'message' as const, value } } };
        yield { progress: { response: { case: 'exitCode' as const, value: 1 } } };
      });
    });
    const drained: string[] = [];
    const drain = async (): Promise<void> => void drained.push(NODE);
    const upgraded = upgradeNode(channel, NODE, 'installer:v1.13.9', { preserve: true, drain });
    await expect(upgraded).rejects.toMatchObject({
      code: 'refused',
      message: `cannot install pulled on ${NODE}: the installer ended with 1`,
      hint: 'its last words: no space for pulled',
    });
    expect(drained).toEqual([]);
  });

  it('of up to 1.12 are one call', async () => {
    const seen: unknown[] = [];
    const channel = await channelTo((router) => {
      version(router, 'v1.12.11');
      router.rpc(MachineService.method.upgrade, ({ image, preserve }) => {
        seen.push([image, preserve]);
        return { messages: [{ ack: 'Upgrade request received' }] };
      });
    });
    await upgradeNode(channel, NODE, 'installer:v1.13.9', { preserve: true });
    expect(seen).toEqual([['installer:v1.13.9', true]]);
  });
});

function member(hostname: string, address: string, machineType: string): string {
  return JSON.stringify({ hostname, addresses: [address], machineType });
}

async function directory(nodenames: Readonly<Record<string, string>>): Promise<NodeDirectory> {
  const channel = await channelTo((router) => {
    router.rpc(State.method.list, async function* () {
      const specs = [
        member('CP-1', '10.0.0.1', 'controlplane'),
        member('w.example', NODE, 'worker'),
      ];
      for (const yamlSpec of specs) yield { resource: { spec: { yamlSpec } } };
    });
    router.rpc(State.method.get, (_, { requestHeader }) => {
      const nodename = nodenames[requestHeader.get('node') ?? ''];
      if (nodename === undefined) throw new ConnectError("doesn't exist", Code.NotFound);
      return { resource: { spec: { yamlSpec: JSON.stringify({ nodename }) } } };
    });
  });
  return new NodeDirectory(channel);
}

describe('names of nodes', () => {
  it('are those of the members, in lower case', async () => {
    const names = await directory({});
    expect(await names.addressOf('cp-1')).toBe('10.0.0.1');
    expect(await names.controlPlanes()).toEqual(['10.0.0.1']);
  });

  it('are asked of each machine where its own name is another one', async () => {
    const names = await directory({ [NODE]: 'worker-1' });
    expect(await names.addressOf('worker-1')).toBe(NODE);
    await expect(names.addressOf('worker-2')).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('worker-1'),
    });
  });
});

describe('a machine that joins', () => {
  it('is found once it is a member, and others are not asked for again', async () => {
    let lists = 0;
    const channel = await channelTo((router) => {
      router.rpc(State.method.list, async function* () {
        lists += 1;
        const specs = [member('cp-1', '10.0.0.1', 'controlplane')];
        if (lists > 1) specs.push(member('w-2', NODE, 'worker'));
        for (const yamlSpec of specs) yield { resource: { spec: { yamlSpec } } };
      });
    });
    const names = new NodeDirectory(channel);
    expect(await names.addressOf('cp-1')).toBe('10.0.0.1');
    expect(await names.addressOf('w-2')).toBe(NODE);
    expect(await names.addressOf('cp-1')).toBe('10.0.0.1');
    expect(lists).toBe(2);
  });
});

describe('without host access', () => {
  it('says what takes it, and asks no Talos for it', async () => {
    const channel = await channelTo(() => undefined);
    const port = talosNodeHost(channel, undefined, { addresses: new Map([['w', NODE]]) });
    await expect(port.write('w', '/etc/cni/net.d/05-x.conf', '{}')).rejects.toMatchObject({
      code: 'refused',
      message: 'the Talos API cannot write /etc/cni/net.d/05-x.conf of w',
      hint: expect.stringContaining('host access'),
    });
  });
});
