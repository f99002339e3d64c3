/** Calls against something that answers as apid does, and as it does when things are wrong. */
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  contextFor,
  fakeApid,
  type FakeApid,
  type FakeApidOptions,
  testAuthority,
  type TestAuthority,
} from '../../../test/support/fake-apid.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import { listDirectory, readFile } from './files.ts';
import { rebootNode, talosVersion } from './machine-calls.ts';
import { TalosChannel } from './talos-channel.ts';

const NODE = '10.0.0.7';
const VERSION = { messages: [{ version: { tag: 'v1.13.9', arch: 'amd64' } }] };

function answers(router: ConnectRouter): void {
  router.rpc(MachineService.method.version, () => VERSION);
  router.rpc(MachineService.method.reboot, () => ({ messages: [{ actorId: 'a' }] }));
}

describe('talos channel', () => {
  let ours: TestAuthority;
  let others: TestAuthority;
  const open: { close(): void | Promise<void> }[] = [];

  beforeAll(async () => {
    ours = await testAuthority();
    others = await testAuthority();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
  });

  async function apid(options: Partial<FakeApidOptions>): Promise<FakeApid> {
    const clients = ours.authority.certificate;
    const made = await fakeApid({ server: ours.server, clients, ...options });
    open.push(made);
    return made;
  }

  async function channelTo(
    endpoints: readonly FakeApid[],
    options: Parameters<typeof contextFor>[2] = {},
  ): Promise<TalosChannel> {
    const context = await contextFor(
      ours,
      endpoints.map(({ address }) => address),
      options,
    );
    const channel = new TalosChannel({ context, backOffMs: 1 });
    open.push(channel);
    return channel;
  }

  it('names the node in metadata, over an Ed25519 identity', async () => {
    const server = await apid({ routes: answers });
    const channel = await channelTo([server]);
    expect(await talosVersion(channel, NODE)).toMatchObject({ version: '1.13.9' });
    expect(server.calls).toEqual([`/machine.MachineService/Version ${NODE}`]);
  });

  it('takes the next endpoint when nothing listens at the first, and the first last from then on', async () => {
    const gone = await apid({ routes: answers });
    await gone.close();
    const server = await apid({ routes: answers });
    const channel = await channelTo([gone, server]);
    await rebootNode(channel, NODE);
    await rebootNode(channel, NODE);
    expect(server.calls).toHaveLength(2);
  });

  it('leaves a worker that does not forward, also for a write: nobody has seen it', async () => {
    const worker = await apid({
      routes: (router) =>
        router.rpc(MachineService.method.reboot, () => {
          throw new ConnectError('no request forwarding', Code.PermissionDenied);
        }),
    });
    const server = await apid({ routes: answers });
    await rebootNode(await channelTo([worker, server]), NODE);
    expect(server.calls).toHaveLength(1);
    await expect(rebootNode(await channelTo([worker]), NODE)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('is a worker, and only control planes forward calls'),
      hint: expect.stringContaining('talosctl config endpoint'),
    });
  });

  it('asks again for a read, and never for a write', async () => {
    const failures = { left: 2, writes: 0 };
    const server = await apid({
      routes: (router) => {
        router.rpc(MachineService.method.version, () => {
          if (failures.left === 0) return VERSION;
          failures.left -= 1;
          throw new ConnectError('upstream is busy', Code.Unavailable);
        });
        router.rpc(MachineService.method.reboot, () => {
          failures.writes += 1;
          throw new ConnectError('upstream is busy', Code.Unavailable);
        });
      },
    });
    const channel = await channelTo([server]);
    expect((await talosVersion(channel, NODE)).version).toBe('1.13.9');
    await expect(rebootNode(channel, NODE)).rejects.toMatchObject({ code: 'unreachable' });
    expect(failures.writes).toBe(1);
  });

  it('says that the endpoint’s authority is another one', async () => {
    const server = await apid({ server: others.server, routes: answers });
    await expect(talosVersion(await channelTo([server]), NODE)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('is signed by an authority that is not the talosconfig’s'),
      hint: expect.stringContaining('talosconfig of this cluster'),
    });
  });

  it('says that the endpoint’s certificate has expired', async () => {
    const old = await testAuthority({ expired: true });
    const server = await apid({ server: old.server, routes: answers });
    const context = {
      ...(await contextFor(ours, [server.address])),
      authority: old.authority.certificate,
    };
    const channel = new TalosChannel({ context, backOffMs: 1 });
    open.push(channel);
    await expect(talosVersion(channel, NODE)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('has expired'),
    });
  });

  it('finds an expired identity before anybody is asked', async () => {
    const old = await testAuthority({ expired: true });
    const identity = await old.client(['os:admin']);
    await expect(channelTo([], { identity })).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringMatching(/client certificate of talosconfig context "test" expired on/),
    });
  });

  it('names our certificate when the connection is shut instead of an answer', async () => {
    const server = await apid({ routes: answers });
    const identity = await others.client(['os:admin']);
    await expect(talosVersion(await channelTo([server], { identity }), NODE)).rejects.toMatchObject(
      {
        code: 'unreachable',
        message: expect.stringContaining('closed the connection without an answer'),
        hint: expect.stringContaining('does not accept our client certificate'),
      },
    );
  });

  it('says which role a call takes, and which we have', async () => {
    const server = await apid({
      routes: (router) =>
        router.rpc(MachineService.method.read, () => {
          throw new ConnectError('not authorized', Code.PermissionDenied);
        }),
    });
    const channel = await channelTo([server], { roles: ['os:reader'] });
    await expect(readFile(channel, NODE, '/etc/os-release')).rejects.toMatchObject({
      code: 'forbidden',
      message: `cannot read /etc/os-release of ${NODE}: context "test" has os:reader, and this takes os:admin`,
    });
  });

  it('says that the endpoint does not know the node', async () => {
    const server = await apid({
      routes: (router) =>
        router.rpc(MachineService.method.version, () => {
          const text =
            'connection error: desc = "transport: Error while dialing: dial tcp: lookup talos-x on 127.0.0.53:53: no such host"';
          throw new ConnectError(text, Code.Unavailable);
        }),
    });
    const channel = await channelTo([server]);
    await expect(talosVersion(channel, 'talos-x')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('knows no node talos-x'),
    });
    expect(server.calls).toHaveLength(1);
  });

  it('gives up on a stream that says nothing more', async () => {
    const server = await apid({
      routes: (router) =>
        router.rpc(MachineService.method.read, async function* (_, { signal }) {
          yield { bytes: Buffer.from('half') };
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }),
    });
    const channel = await channelTo([server]);
    const reading = channel.collect(
      MachineService.method.read,
      { path: '/x' },
      { node: NODE, what: 'read /x', isRead: false, idleMs: 30 },
      () => ({ take: () => undefined, done: () => 'whole' }),
    );
    await expect(reading).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('the answer through endpoint'),
    });
  });

  it('ends a call that is never answered at its deadline', async () => {
    const server = await apid({ raw: () => undefined });
    const channel = await channelTo([server]);
    const call = { node: NODE, what: 'ask', isRead: true, deadlineMs: 60 };
    const asked = channel.unary(MachineService.method.version, {}, call);
    await expect(asked).rejects.toMatchObject({ code: 'timeout' });
  });

  it('takes no stream for whole that ended without its end', async () => {
    const server = await apid({
      raw: (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
        // One message with the bytes `ab`, and no trailers.
        stream.end(Buffer.from([0, 0, 0, 0, 4, 0x12, 2, 0x61, 0x62]));
      },
    });
    const channel = await channelTo([server]);
    await expect(readFile(channel, NODE, '/x')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('ended before it was complete'),
    });
  });

  it('takes a message that was cut for no message', async () => {
    const server = await apid({
      raw: (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
        stream.write(Buffer.from([0, 0, 0, 0, 9, 0x12, 7, 0x61]), () => stream.close());
      },
    });
    await expect(readFile(await channelTo([server]), NODE, '/x')).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it('knows a directory that is not there from one that is empty', async () => {
    const server = await apid({
      routes: (router) =>
        router.rpc(MachineService.method.list, async function* ({ root }) {
          if (root !== '/etc/cni/net.d') {
            throw new ConnectError(`lstat ${root}: no such file or directory`, Code.Unknown);
          }
          yield { name: root, relativeName: '.', isDir: true };
        }),
    });
    const channel = await channelTo([server]);
    expect(await listDirectory(channel, NODE, '/etc/cni/net.d')).toEqual([]);
    expect(await listDirectory(channel, NODE, '/etc/none')).toBeUndefined();
  });
});
