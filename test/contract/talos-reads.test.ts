/** What the Talos adapter reads besides the port: services, logs and watches, on a served twin. */
import { afterEach, describe, expect, it } from 'vitest';
import { etcdSnapshot } from '../../src/drivers/talos/etcd.ts';
import { followLogs, readLogs } from '../../src/drivers/talos/files.ts';
import { talosServices } from '../../src/drivers/talos/machine-calls.ts';
import { watchResources } from '../../src/drivers/talos/state.ts';
import { MACHINE_STATUS } from '../../src/knowledge/talos-resources.ts';
import { servedChannel } from './node-host/targets.ts';

const CONTROL_PLANE = 't-cp-01';
const WORKER = 't-wrk-01';
const KUBELET = { id: 'kubelet', of: 'system' } as const;

type Served = Awaited<ReturnType<typeof servedChannel>>;

let open: Served | undefined;

afterEach(async () => {
  await open?.close();
});

async function served(): Promise<Served> {
  open = await servedChannel('1.13.1');
  return open;
}

function say({ world }: Served, message: string): void {
  world.kernel.occur('kubelet.sandbox-failed', { node: WORKER, message });
}

describe('Talos reads', () => {
  it('tells a service without a health check from one that is unwell', async () => {
    const { channel } = await served();
    const services = new Map((await talosServices(channel, WORKER)).map((each) => [each.id, each]));
    expect(services.get('kubelet')).toMatchObject({ state: 'Running', healthy: true });
    expect(services.get('machined')).toMatchObject({ state: 'Running', healthy: undefined });
    expect(services.has('etcd')).toBe(false);
  });

  it('reads logs from their end, and follows them', async () => {
    const target = await served();
    for (const text of ['first', 'second', 'third']) say(target, text);
    const all = await readLogs(target.channel, WORKER, KUBELET);
    expect(all.match(/first|second|third/g)).toEqual(['first', 'second', 'third']);
    const last = await readLogs(target.channel, WORKER, { ...KUBELET, tailLines: 1 });
    expect(last).toMatch(/^[^\n]* third\n$/);
    const seen: string[] = [];
    const source = { ...KUBELET, tailLines: 1 };
    for await (const bytes of followLogs(target.channel, WORKER, source)) {
      seen.push(Buffer.from(bytes).toString());
      if (seen.length === 2) break;
      say(target, 'fourth');
    }
    expect(seen.join('')).toMatch(/third\n[^\n]*fourth\n/);
  });

  it('names a log that there is not', async () => {
    const { channel } = await served();
    const read = readLogs(channel, WORKER, { id: 'none', of: 'system' });
    await expect(read).rejects.toMatchObject({
      message: expect.stringContaining('log "none" was not registered'),
    });
  });

  it('sees a machine that goes down, until its watch breaks', async () => {
    const { channel, world } = await served();
    const stages: unknown[] = [];
    for await (const { resource } of watchResources(channel, WORKER, MACHINE_STATUS)) {
      stages.push(resource?.spec());
      if (stages.length === 2) break;
      world.nodes.get(WORKER)?.machine.reboot();
    }
    expect(stages).toMatchObject([{ stage: 'running' }, { stage: 'rebooting' }]);
  });

  it('takes an etcd snapshot from a control plane, and hears that a worker has none', async () => {
    const { channel } = await served();
    const sink = { begin: async () => undefined, write: async () => undefined };
    const { bytes } = await etcdSnapshot(channel, CONTROL_PLANE, sink);
    expect(bytes).toBeGreaterThan(512);
    await expect(etcdSnapshot(channel, WORKER, sink)).rejects.toMatchObject({
      message: expect.stringContaining('only available on control plane nodes'),
    });
  });
});
