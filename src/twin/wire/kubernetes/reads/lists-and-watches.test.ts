import { describe, expect, it } from 'vitest';
import { testApi, type TestApi } from '../testing.ts';
import { listOf, textOf, valueAt } from '../../../../base/json-tree.ts';

const MAPS = '/api/v1/namespaces/kube-public/configmaps';

async function create({ ask }: TestApi, ...names: readonly string[]): Promise<string> {
  let version = '';
  for (const name of names) {
    const { body } = await ask('POST', MAPS, { body: { metadata: { name, labels: { n: name } } } });
    version = textOf(valueAt(body, 'metadata', 'resourceVersion'));
  }
  return version;
}

function namesOf(body: unknown): readonly string[] {
  return listOf(valueAt(body, 'items')).map((each) => textOf(valueAt(each, 'metadata', 'name')));
}

describe('lists', () => {
  it('come in pages of one state, and end with 410 when that is compacted', async () => {
    const test = testApi();
    await create(test, 'a', 'b', 'c', 'd');
    const first = (await test.ask('GET', `${MAPS}?limit=2`)).body;
    expect(namesOf(first)).toEqual(['a', 'b']);
    expect(valueAt(first, 'metadata', 'remainingItemCount')).toBe(2);
    const token = textOf(valueAt(first, 'metadata', 'continue'));
    await create(test, 'bb');
    await test.ask('DELETE', `${MAPS}/c`);
    const second = (await test.ask('GET', `${MAPS}?limit=2&continue=${token}`)).body;
    expect(namesOf(second)).toEqual(['c', 'd']);
    test.api.compact();
    expect((await test.ask('GET', `${MAPS}?limit=2&continue=${token}`)).body).toMatchObject({
      code: 410,
      reason: 'Expired',
    });
  });

  it('show the state of a version that is asked for exactly', async () => {
    const test = testApi();
    const version = await create(test, 'a', 'b');
    await test.ask('DELETE', `${MAPS}/a`);
    await create(test, 'c');
    const exact = `resourceVersionMatch=Exact&resourceVersion=${version}`;
    const then = await test.ask('GET', `${MAPS}?${exact}`);
    expect(namesOf(then.body)).toEqual(['a', 'b']);
    expect(namesOf((await test.ask('GET', MAPS)).body)).toEqual(['b', 'c']);
    const future = await test.ask('GET', `${MAPS}?resourceVersion=99999999`);
    expect(future.body).toMatchObject({ code: 504 });
    expect(textOf(future.body['message'])).toContain('Too large resource version');
    const alone = await test.ask('GET', `${MAPS}?resourceVersionMatch=Exact`);
    expect(alone.status).toBe(422);
  });

  it('select by sets of labels, and refuse fields the server does not select by', async () => {
    const test = testApi();
    await create(test, 'a', 'b', 'c');
    const selected = await test.ask(
      'GET',
      `${MAPS}?labelSelector=${encodeURIComponent('n in (a,c)')}`,
    );
    expect(namesOf(selected.body)).toEqual(['a', 'c']);
    expect((await test.ask('GET', `${MAPS}?fieldSelector=data.x=1`)).body).toMatchObject({
      code: 400,
      message: 'field label not supported: data.x',
    });
  });

  it('come as tables and as metadata', async () => {
    const test = testApi();
    await create(test, 'a');
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { body } = await test.ask('GET', MAPS, { accept: table });
    expect(valueAt(listOf(body['rows'])[0], 'cells')).toEqual(['a', 0, '0s']);
    const partial = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    const metadata = (await test.ask('GET', MAPS, { accept: partial })).body;
    expect(metadata['kind']).toBe('PartialObjectMetadataList');
    expect(listOf(metadata['items'])[0]).not.toHaveProperty('data');
    expect((await test.ask('GET', MAPS, { accept: 'application/cbor' })).status).toBe(406);
  });
});

describe('watches', () => {
  it('begin with what is there, say where that ends, and go on', async () => {
    const test = testApi();
    await create(test, 'a', 'b');
    const initial =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await test.events(`${MAPS}?watch=true&${initial}`, 4, async (count) => {
      if (count === 3) await create(test, 'c');
    });
    expect(events.map((each) => each['type'])).toEqual(['ADDED', 'ADDED', 'BOOKMARK', 'ADDED']);
    expect(valueAt(events[2], 'object', 'metadata', 'annotations')).toEqual({
      'k8s.io/initial-events-end': 'true',
    });
    const bad = await test.ask('GET', `${MAPS}?watch=true&sendInitialEvents=true`);
    expect(bad.status).toBe(400);
  });

  it('tell changes after a version, in their order, and the version of a deletion', async () => {
    const test = testApi();
    const version = await create(test, 'a');
    await create(test, 'b');
    await test.ask('DELETE', `${MAPS}/a`);
    const events = await test.events(`${MAPS}?watch=1&resourceVersion=${version}`, 2);
    expect(
      events.map((each) => [each['type'], valueAt(each, 'object', 'metadata', 'name')]),
    ).toEqual([
      ['ADDED', 'b'],
      ['DELETED', 'a'],
    ]);
    const [added, deleted] = events.map((each) =>
      Number(valueAt(each, 'object', 'metadata', 'resourceVersion')),
    );
    expect(deleted).toBeGreaterThan(added ?? Infinity);
  });

  it('tell what leaves the selection as deleted', async () => {
    const test = testApi();
    const version = await create(test, 'a');
    const type = 'application/merge-patch+json';
    await test.ask('PATCH', `${MAPS}/a`, { type, body: { metadata: { labels: { n: 'x' } } } });
    const events = await test.events(
      `${MAPS}?watch=1&labelSelector=n%3Da&resourceVersion=${version}`,
      1,
    );
    expect(events[0]).toMatchObject({
      type: 'DELETED',
      object: { metadata: { labels: { n: 'a' } } },
    });
  });

  it('end with 410 where the version is forgotten', async () => {
    const test = testApi();
    const version = await create(test, 'a');
    await create(test, 'b');
    test.api.compact();
    const [event] = await test.events(`${MAPS}?watch=1&resourceVersion=${version}`, 1);
    expect(event).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(textOf(valueAt(event, 'object', 'message'))).toMatch(/^too old resource version: /);
  });

  it('tell events as they are recorded', async () => {
    const test = testApi();
    const path = '/api/v1/namespaces/a/events';
    const { body } = await test.ask('GET', path);
    const version = textOf(valueAt(body, 'metadata', 'resourceVersion'));
    const reading = test.events(`${path}?watch=1&resourceVersion=${version}`, 1);
    const [pod] = test.world.store.list('Pod', 'a');
    await test.ask('DELETE', `/api/v1/namespaces/a/pods/${pod?.metadata.name ?? ''}`);
    test.world.kernel.runUntil(test.world.kernel.now() + 10_000);
    expect((await reading)[0]).toMatchObject({ type: 'ADDED', object: { kind: 'Event' } });
  });
});
