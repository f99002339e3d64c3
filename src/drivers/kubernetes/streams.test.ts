/**
 * Lists, watches and logs against a server that ends them in every wrong way: what was read is whole or
 * an error, and watches go on without a storm.
 */
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure-of.ts';
import { QuickTimers, sendJson, statusBody } from '../../../test/support/fake-api-server.ts';
import { fakeKubernetes } from '../../../test/support/fake-kubernetes.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import { followObjects } from '../../ports/follow-objects.ts';
import { ListSplitter } from './list-splitter.ts';

const cluster = fakeKubernetes();

function named(name: string, resourceVersion = '1'): object {
  return { metadata: { name, namespace: 'a', resourceVersion, unheard: { of: true } } };
}

function list(names: readonly string[], token?: string): object {
  const metadata = { resourceVersion: '7', ...(token === undefined ? {} : { continue: token }) };
  return {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata,
    items: names.map((name) => named(name)),
  };
}

const EXPIRED = 'The provided continue parameter is too old';

function event(type: string, name: string, version: string): string {
  return `${JSON.stringify({ type, object: named(name, version) })}\n`;
}

describe('lists', () => {
  it('goes on at a newer state where the server offers it, and says so', async () => {
    const { port } = await cluster(({ query }, answer) => {
      const token = query.get('continue');
      if (token === null) sendJson(answer, list(['a'], 'one'));
      else if (token === 'two') sendJson(answer, list(['b']));
      else {
        const status = statusBody(410, 'Expired', EXPIRED);
        sendJson(answer, { ...status, metadata: { continue: 'two' } }, 410);
      }
    });
    const pages = [];
    for await (const page of port.pages('v1', 'ConfigMap', { limit: 1 })) pages.push(page);
    expect(pages.map(({ items, inconsistent }) => [items[0]?.metadata.name, inconsistent])).toEqual(
      [
        ['a', undefined],
        ['b', true],
      ],
    );
    expect(pages[0]?.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(pages[0]?.items[0]?.metadata).toMatchObject({ unheard: { of: true } });
  });

  it('begins again where it cannot go on, forgets what it had, and not for ever', async () => {
    let isFirst = true;
    const { port } = await cluster(({ query }, answer) => {
      if (query.get('continue') === null) sendJson(answer, list(['a'], 'one'));
      else if (isFirst) sendJson(answer, statusBody(410, 'Expired', EXPIRED), 410);
      else sendJson(answer, list(['b']));
      if (query.get('continue') !== null) isFirst = false;
    });
    const all = await port.list('v1', 'ConfigMap');
    expect(all.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    const never = await cluster(({ query }, answer) => {
      if (query.get('continue') === null) sendJson(answer, list(['a'], 'one'));
      else sendJson(answer, statusBody(410, 'Expired', EXPIRED), 410);
    });
    const error = await failureOf(never.port.list('v1', 'ConfigMap'));
    expect(error).toMatchObject({ code: 'expired' });
    expect(never.server.requests).toHaveLength(6);
  });

  it('goes on after a page that was too large to be held', async () => {
    const large = { metadata: { name: 'large' }, data: { text: 'x'.repeat(40 * 1024 * 1024) } };
    const { port } = await cluster(({ query }, answer) => {
      const token = query.get('continue');
      const metadata = { resourceVersion: '5', continue: token === null ? 'two' : '' };
      sendJson(answer, { metadata, items: [token === null ? large : { metadata: { name: 'b' } }] });
    });
    const all = await port.list('v1', 'ConfigMap');
    expect(all.map(({ metadata }) => metadata.name)).toEqual(['large', 'b']);
  });

  it('hands on the text of a list as the server wrote it, and sizes its pages by bytes', async () => {
    const limits: (string | null)[] = [];
    const items = [{ metadata: { name: 'a' } }, { metadata: { name: 'ü, "b"' } }];
    const { port } = await cluster(({ query }, answer) => {
      limits.push(query.get('limit'));
      const token = query.get('continue') === null ? 'two' : '';
      sendJson(answer, { kind: 'ConfigMapList', metadata: { continue: token }, items });
    });
    const texts: string[] = [];
    for await (const page of port.rawPages?.('v1', 'ConfigMap') ?? [])
      texts.push(Buffer.from(page.items).toString('utf8'));
    expect(texts).toEqual([JSON.stringify(items).slice(1, -1), JSON.stringify(items).slice(1, -1)]);
    expect(limits).toEqual(['500', '5000']);
  });

  it('makes a text of a list whose items come before its head, or are none', async () => {
    for (const [list, text] of [
      [
        { items: [{ metadata: { name: 'a' } }], metadata: { resourceVersion: '7' } },
        '{"metadata":{"name":"a"}}',
      ],
      [{ metadata: { resourceVersion: '7' }, items: null }, ''],
      [{ metadata: { resourceVersion: '7' }, items: [] }, ''],
    ] as const) {
      const { port } = await cluster((_request, answer) => sendJson(answer, list));
      const pages = [];
      for await (const page of port.rawPages?.('v1', 'ConfigMap') ?? [])
        pages.push([Buffer.from(page.items).toString('utf8'), page.resourceVersion]);
      expect(pages).toEqual([[text, '7']]);
    }
  });

  it('reads a list in parts, wherever the pieces are cut, strings with brackets and all', () => {
    const items = [{ a: '}]"\\' }, { b: [[{ c: 'ü' }], []], items: [{ d: 1 }] }, {}, { e: null }];
    const metadata = { resourceVersion: '9', continue: 'next', labels: { items: '[' } };
    const bytes = Buffer.from(JSON.stringify({ kind: 'XList', metadata, items, tail: { f: [1] } }));
    for (let size = 1; size < bytes.length; size += 1) {
      const splitter = new ListSplitter();
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        found.push(...splitter.push(bytes.subarray(at, at + size)));
      }
      expect(found).toEqual(items);
      expect(splitter.end()).toMatchObject({ resourceVersion: '9', continueToken: 'next' });
    }
    const half = new ListSplitter();
    half.push(bytes.subarray(0, 60));
    expect(() => half.end()).toThrow(SyntaxError);
  });
});

describe('watches', () => {
  it('goes on from the last version it told, bookmarks too, after every kind of end', async () => {
    const versions: (string | null)[] = [];
    const { port } = await cluster(({ query }, answer, incoming) => {
      versions.push(query.get('resourceVersion'));
      answer.writeHead(200, { 'content-type': 'application/json' });
      if (versions.length === 1) answer.end(event('ADDED', 'a', '11'));
      else if (versions.length === 2) {
        answer.write(event('BOOKMARK', '', '20') + event('MODIFIED', 'b', '21').slice(0, 30), () =>
          incoming.socket.destroy(),
        );
      } else answer.end(event('DELETED', 'c', '31'));
    });
    const seen: string[] = [];
    for await (const each of port.watch('v1', 'ConfigMap', { resourceVersion: '10' })) {
      seen.push(each.type);
      if (each.type === 'deleted') break;
    }
    expect(seen).toEqual(['added', 'bookmark', 'deleted']);
    expect(versions).toEqual(['10', '11', '20']);
  });

  it('does not open a watch again and again that ends at once, and gives up in the end', async () => {
    const timers = new QuickTimers();
    const at: number[] = [];
    const { port } = await cluster(
      (_request, _answer, incoming) => {
        at.push(timers.now());
        incoming.socket.destroy();
      },
      { timers },
    );
    const events = port.watch('v1', 'Pod', { resourceVersion: '1' })[Symbol.asyncIterator]();
    expect(await failureOf(events.next())).toMatchObject({ code: 'unreachable' });
    expect(timers.now()).toBeGreaterThan(300_000);
    expect(at.length).toBeLessThan(30);
  });

  it('takes a watch that is silent for dead, and opens another', async () => {
    const timers = new QuickTimers([180_000]);
    let count = 0;
    const { port } = await cluster(
      (_request, answer) => {
        count += 1;
        answer.writeHead(200, { 'content-type': 'application/json' });
        if (count > 1) answer.end(event('ADDED', 'a', '5'));
        else answer.flushHeaders();
      },
      { timers },
    );
    for await (const each of port.watch('v1', 'ConfigMap', { resourceVersion: '1' })) {
      expect(each).toMatchObject({ type: 'added', resourceVersion: '5' });
      break;
    }
    expect(count).toBe(2);
  });

  it('says 410 by name, in an event or as an answer, and 403 too', async () => {
    const status = statusBody(410, 'Expired', 'too old resource version: 1 (5)');
    const inEvent = await cluster((_request, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      answer.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    });
    const asAnswer = await cluster((_request, answer) => sendJson(answer, status, 410));
    const denied = await cluster((_request, answer) =>
      sendJson(answer, statusBody(403, 'Forbidden', 'cannot watch'), 403),
    );
    for (const [{ port, server }, code] of [
      [inEvent, 'expired'],
      [asAnswer, 'expired'],
      [denied, 'forbidden'],
    ] as const) {
      const events = port.watch('v1', 'ConfigMap', { resourceVersion: '1' });
      expect(await failureOf(events[Symbol.asyncIterator]().next())).toMatchObject({ code });
      expect(server.requests).toHaveLength(1);
    }
  });

  it('lists again after 410 without a storm, though events come between', async () => {
    const timers = new QuickTimers();
    let lists = 0;
    const { port } = await cluster(
      ({ query }, answer) => {
        if (query.get('watch') === null) {
          lists += 1;
          sendJson(answer, list(lists % 2 === 0 ? ['a', 'b'] : ['a']));
          return;
        }
        const object = statusBody(410, 'Expired', 'too old');
        answer.writeHead(200, { 'content-type': 'application/json' });
        const some = event('MODIFIED', 'a', `1${lists}`);
        answer.end(`${some}${JSON.stringify({ type: 'ERROR', object })}\n`);
      },
      { timers },
    );
    const clock = {
      now: () => timers.now(),
      sleep: (ms: number) => new Promise<void>((resolve) => void timers.after(ms, resolve)),
    };
    const seen: string[] = [];
    for await (const each of followObjects<KubeObject>(port, clock, 'v1', 'ConfigMap')) {
      if (each.type === 'deleted') seen.push(`deleted ${each.name}`);
      else if (each.type === 'added') seen.push(`added ${each.object.metadata.name}`);
      if (timers.now() > 600_000) break;
    }
    expect(seen.slice(0, 3)).toEqual(['added a', 'added b', 'deleted b']);
    expect(lists).toBeLessThan(20);
  });
});

describe('logs', () => {
  it('gives lines, and no half of a log that was cut off', async () => {
    let isCut = false;
    const { port } = await cluster((_request, answer, incoming) => {
      answer.writeHead(200, { 'content-type': 'text/plain' });
      if (!isCut) answer.end('one\ntwo\nthree');
      else answer.write('one\ntw', () => incoming.socket.destroy());
    });
    const lines: string[] = [];
    for await (const line of port.logs({ namespace: 'a', pod: 'p' })) lines.push(line);
    expect(lines).toEqual(['one', 'two', 'three']);
    isCut = true;
    const read = async (): Promise<void> => {
      for await (const line of port.logs({ namespace: 'a', pod: 'p' })) expect(line).toBe('one');
    };
    expect(await failureOf(read())).toMatchObject({ code: 'unreachable' });
  });
});
