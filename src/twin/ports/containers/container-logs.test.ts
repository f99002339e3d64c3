/**
 * Logs of containers, from what a program prints to what a client reads of it: in memory and over
 * HTTP, one run and the one before it, now and while it goes on.
 */
import { describe, expect, it } from 'vitest';
import { type KubeletWorld, podOn } from '../../../../test/support/kubelet-world.ts';
import { world } from '../../../../test/support/one-node.ts';
import type { LogRequest } from '../../../ports/index.ts';
import { logResponse } from '../../wire/kubernetes/reads/pod-log.ts';
import type { ProcessHost } from '../../world.ts';
import { createContainerPort } from './kubernetes-containers.ts';

const CONTAINER = { name: 'c', image: 'pause' };
const TARGET = { namespace: 'default', pod: 'p' };

interface Running {
  readonly twin: KubeletWorld;
  /** The program of the container as it runs now. */
  readonly host: () => ProcessHost;
}

function running(): Running {
  const hosts: ProcessHost[] = [];
  const twin = world({
    programFor: () => (host) => {
      hosts.push(host);
      host.setReady(true);
      return { stop: () => undefined };
    },
  });
  podOn(twin, 'p', 'n', { containers: [CONTAINER] });
  twin.run(5);
  return {
    twin,
    host: () => {
      const host = hosts.at(-1);
      if (host === undefined) throw new Error('nothing runs');
      return host;
    },
  };
}

function read(twin: KubeletWorld, more: Partial<LogRequest> = {}): Promise<string[]> {
  const port = createContainerPort(twin);
  return twin.kernel.drive(() => collected(port.logs({ ...TARGET, ...more })));
}

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe('logs', () => {
  it('holds the lines of the run now, the newest of them, or those since', async () => {
    const { twin, host } = running();
    host().log('one');
    twin.run(60);
    host().log('two');
    host().log('three');
    expect(await read(twin)).toEqual(['one', 'two', 'three']);
    expect(await read(twin, { tailLines: 2 })).toEqual(['two', 'three']);
    expect(await read(twin, { tailLines: 0 })).toEqual([]);
    expect(await read(twin, { sinceSeconds: 30 })).toEqual(['two', 'three']);
    const [first = ''] = await read(twin, { timestamps: true });
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one$/);
  });

  it('keeps the log of the run before, with the message it ended with', async () => {
    const { twin, host } = running();
    await expect(read(twin, { previous: true })).rejects.toMatchObject({
      code: 'refused',
      message: 'previous terminated container "c" in pod "p" not found',
    });
    host().log('first life');
    const dead = host();
    dead.exit(1, 'fatal: no');
    dead.log('nobody hears this');
    expect(await read(twin)).toEqual(['first life', 'fatal: no']);
    twin.run(5);
    expect(await read(twin)).toEqual([]);
    expect(await read(twin, { previous: true })).toEqual(['first life', 'fatal: no']);
  });

  it('follows until the container ends', async () => {
    const { twin, host } = running();
    host().log('before');
    twin.kernel.after(1_000, () => host().log('later'));
    twin.kernel.after(2_000, () => host().exit(0, 'bye'));
    expect(await read(twin, { follow: true })).toEqual(['before', 'later', 'bye']);
  });

  it('follows until the caller has enough', async () => {
    const { twin, host } = running();
    const enough = new AbortController();
    twin.kernel.after(1_000, () => host().log('heard'));
    twin.kernel.after(2_000, () => enough.abort());
    twin.kernel.after(3_000, () => host().log('not heard'));
    expect(await read(twin, { follow: true, signal: enough.signal })).toEqual(['heard']);
  });

  it('is refused while the container waits to start, and empty before a node has the pod', async () => {
    const twin = world();
    podOn(twin, 'p', 'n', { containers: [{ name: 'c', image: 'big' }] });
    await expect(read(twin)).rejects.toMatchObject({ code: 'refused' });
    twin.store.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'default', name: 'nowhere' },
      spec: { containers: [CONTAINER] },
      status: {},
    });
    expect(await read(twin, { pod: 'nowhere' })).toEqual([]);
  });
});

describe('logs over HTTP', () => {
  const resource = { namespace: 'default', name: 'p' };

  function ask(twin: KubeletWorld, query: string): Response {
    return logResponse(twin, resource, new URLSearchParams(query));
  }

  it('answers with text, cut at the bytes that were asked for', async () => {
    const { twin, host } = running();
    host().log('one');
    host().log('two');
    expect(await ask(twin, '').text()).toBe('one\ntwo\n');
    expect(await ask(twin, 'tailLines=1').text()).toBe('two\n');
    expect(await ask(twin, 'limitBytes=5').text()).toBe('one\nt');
    expect(await ask(twin, 'follow=true&limitBytes=5').text()).toBe('one\nt');
    expect(() => ask(twin, 'tailLines=-1')).toThrow(/tailLines: Invalid value: -1/);
    expect(() => ask(twin, 'sinceTime=yesterday')).toThrow(/sinceTime/);
  });

  it('follows: what is printed later comes as it is printed, to the end of the container', async () => {
    const { twin, host } = running();
    host().log('one');
    const response = ask(twin, 'follow=true');
    host().log('two');
    host().exit(1, 'three');
    expect(await response.text()).toBe('one\ntwo\nthree\n');
  });

  it('leaves nothing behind when the client goes away', async () => {
    const { twin, host } = running();
    const response = ask(twin, 'follow=true');
    await response.body?.cancel();
    expect(() => host().log('nobody listens')).not.toThrow();
  });
});
