/** Single objects: create, read, change, and what of it is refused. */
import { expect, it } from 'vitest';
import type { KubeObject, PodObject } from '../../../src/model/kubernetes.ts';
import { addressOf, configMap, group, podLiteral, type TargetKind } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

type WithStatus = KubeObject & { readonly status?: { readonly phase?: string } };

export function describeObjects(kind: TargetKind): void {
  group(kind, 'objects', (on) => {
    it(
      'gives a new object uid, version and time, and shows it as it was written',
      on(async ({ port, namespace }) => {
        const made = await port.create(configMap(namespace, 'a', { data: { key: 'value' } }));
        expect(made.metadata.uid).toMatch(/.+/);
        expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
        const read = await port.get<KubeObject>(addressOf(made));
        expect(read).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { key: 'value' } });
        expect(read?.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
      }),
    );

    it(
      'has nothing where there is nothing, of kinds it serves and of others',
      on(async ({ port, namespace }) => {
        expect(await port.get(addressOf(configMap(namespace, 'none')))).toBeUndefined();
        const address = {
          apiVersion: 'none.example.com/v1',
          kind: 'Nothing',
          namespace,
          name: 'a',
        };
        expect(await port.get(address)).toBeUndefined();
        expect(await port.list('none.example.com/v1', 'Nothing')).toEqual([]);
      }),
    );

    it(
      'creates nothing of a kind that it does not serve, and nothing that has a version already',
      on(async ({ port, namespace }) => {
        const metadata = { namespace, name: 'a' };
        const unknown = { apiVersion: 'none.example.com/v1', kind: 'Nothing', metadata };
        expect(await failureOf(port.create(unknown))).toMatchObject({ code: 'not-found' });
        const versioned = configMap(namespace, 'versioned');
        const again = { ...versioned, metadata: { ...versioned.metadata, resourceVersion: '1' } };
        expect(await failureOf(port.create(again))).toMatchObject({
          code: 'refused',
          message: expect.stringContaining('resourceVersion should not be set'),
        });
      }),
    );

    it(
      'does not replace an object by one that was meant for its namesake',
      on(async ({ port, namespace }) => {
        const first = await port.create(configMap(namespace, 'namesake'));
        await port.delete(addressOf(first));
        await port.create(configMap(namespace, 'namesake'));
        const { resourceVersion: _, ...metadata } = first.metadata;
        const failure = await failureOf(port.replace({ ...first, metadata }));
        expect(failure).toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('Precondition failed: UID in precondition'),
        });
      }),
    );

    it(
      'does not create twice, and says that it exists already',
      on(async ({ port, namespace }) => {
        const object = configMap(namespace, 'a');
        await port.create(object);
        const error = await failureOf(port.create(object));
        expect(error).toMatchObject({ code: 'conflict' });
        expect(error.message).toContain('configmaps "a" already exists');
      }),
    );

    it(
      'grows the version with every change, and not with one that changes nothing',
      on(async ({ port, namespace }) => {
        const made = await port.create(configMap(namespace, 'a', { data: { x: '1' } }));
        const changed = await port.patch(addressOf(made), { data: { x: '2' } });
        const same = await port.patch(addressOf(made), { data: { x: '2' } });
        const versions = [made, changed, same].map(({ metadata }) =>
          Number(metadata.resourceVersion),
        );
        expect(versions[1]).toBeGreaterThan(versions[0] ?? Infinity);
        expect(versions[2]).toBe(versions[1]);
      }),
    );

    it(
      'changes only the version that was read, for whoever says which',
      on(async ({ port, namespace }) => {
        const made = await port.create(configMap(namespace, 'a', { data: { x: '1' } }));
        await port.patch(addressOf(made), { data: { x: '2' } });
        const replaced = await failureOf(port.replace({ ...made, data: { x: '3' } }));
        expect(replaced).toMatchObject({ code: 'conflict' });
        expect(replaced.message).toContain('the object has been modified');
        const metadata = { resourceVersion: made.metadata.resourceVersion };
        const patched = await failureOf(
          port.patch(addressOf(made), { metadata, data: { x: '4' } }),
        );
        expect(patched).toMatchObject({ code: 'conflict' });
        expect(await port.get(addressOf(made))).toMatchObject({ data: { x: '2' } });
      }),
    );

    it(
      'takes out with null what a merge patch names, and nothing else',
      on(async ({ port, namespace }) => {
        const made = await port.create(
          configMap(namespace, 'a', { data: { x: '1', y: '2' }, labels: { l: 'm' } }),
        );
        const patched = await port.patch<KubeObject & { data?: object }>(addressOf(made), {
          data: { x: null },
        });
        expect(patched.data).toEqual({ y: '2' });
        expect(patched.metadata.labels).toEqual({ l: 'm' });
      }),
    );

    it(
      'does what a JSON patch says in its order, or nothing of it',
      on(async ({ port, namespace }) => {
        const made = await port.create(configMap(namespace, 'a', { data: { x: '1' } }));
        const operations = [
          { op: 'test', path: '/data/x', value: '1' },
          { op: 'add', path: '/data/y', value: '2' },
          { op: 'remove', path: '/data/x' },
        ] as const;
        const patched = await port.patch(addressOf(made), operations, { type: 'json' });
        expect(patched).toMatchObject({ data: { y: '2' } });
        const error = await failureOf(port.patch(addressOf(made), operations, { type: 'json' }));
        expect(error).toMatchObject({ code: 'refused' });
        expect(await port.get(addressOf(made))).toMatchObject({ data: { y: '2' } });
      }),
    );

    it(
      'merges lists by their keys in a strategic patch, and replaces them in a merge patch',
      on(async ({ port, namespace }) => {
        const made = await port.create(podLiteral(namespace, 'a'));
        const containers = [{ name: 'main', image: 'example.com/none:2' }];
        const strategic = await port.patch<PodObject>(
          addressOf(made),
          { spec: { containers } },
          { type: 'strategic' },
        );
        expect(strategic.spec.containers).toMatchObject([
          { name: 'main', image: 'example.com/none:2' },
        ]);
        const finalizers = { metadata: { finalizers: ['example.com/one'] } };
        await port.patch(addressOf(made), finalizers, { type: 'strategic' });
        const both = await port.patch(
          addressOf(made),
          { metadata: { finalizers: ['example.com/two'] } },
          { type: 'strategic' },
        );
        expect(both.metadata.finalizers?.toSorted()).toEqual([
          'example.com/one',
          'example.com/two',
        ]);
        const merged = await port.patch(addressOf(made), { metadata: { finalizers: null } });
        expect(merged.metadata.finalizers ?? []).toEqual([]);
      }),
    );

    it(
      'says what it did not find, when it is to change it',
      on(async ({ port, namespace }) => {
        const none = configMap(namespace, 'none');
        const patched = await failureOf(port.patch(addressOf(none), { data: {} }));
        expect(patched).toMatchObject({ code: 'not-found' });
        expect(patched.message).toContain('configmaps "none" not found');
        expect(await failureOf(port.replace(none))).toMatchObject({ code: 'not-found' });
      }),
    );

    it(
      'does nothing when it is asked only what it would do',
      on(async ({ port, namespace }) => {
        const object = configMap(namespace, 'a', { data: { x: '1' } });
        expect(await port.create(object, { dryRun: true })).toMatchObject({ data: { x: '1' } });
        expect(await port.get(addressOf(object))).toBeUndefined();
        const made = await port.create(object);
        const patched = await port.patch(addressOf(made), { data: { x: '2' } }, { dryRun: true });
        expect(patched).toMatchObject({ data: { x: '2' } });
        await port.delete(addressOf(made), { dryRun: true });
        expect(await port.get(addressOf(made))).toMatchObject({ data: { x: '1' } });
      }),
    );

    describeParts(on);
  });
}

function describeParts(on: Parameters<Parameters<typeof group>[2]>[0]): void {
  it(
    'counts a generation for the specification alone',
    on(async ({ port, namespace }) => {
      const budget: KubeObject & { readonly spec: object } = {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { namespace, name: 'a' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'nobody' } } },
      };
      const made = await port.create(budget);
      const labelled = await port.patch(addressOf(made), { metadata: { labels: { a: 'b' } } });
      const changed = await port.patch(addressOf(made), { spec: { minAvailable: 2 } });
      expect(made.metadata.generation).toBe(1);
      expect(labelled.metadata.generation).toBe(1);
      expect(changed.metadata.generation).toBe(2);
    }),
  );

  it(
    'keeps specification and status apart: each is written through its own door',
    on(async ({ port, namespace }) => {
      const made = await port.create({
        ...podLiteral(namespace, 'a'),
        status: { phase: 'Failed' },
      });
      expect((made as WithStatus).status?.phase).toBe('Pending');
      const byMain = await port.patch<WithStatus>(addressOf(made), { status: { phase: 'Failed' } });
      expect(byMain.status?.phase).toBe('Pending');
      const byStatus = await port.patch<PodObject>(
        addressOf(made),
        { status: { phase: 'Running' }, spec: { containers: [] } },
        { subresource: 'status' },
      );
      expect(byStatus.status.phase).toBe('Running');
      expect(byStatus.spec.containers).toHaveLength(1);
    }),
  );

  it(
    'keeps fields that it does not know where a kind may have them',
    on(async ({ port, namespace }) => {
      const annotations = { 'example.com/new': '{"unheard": ["of"]}' };
      const made = await port.create({
        ...configMap(namespace, 'a', { data: { x: '1' } }),
        metadata: { namespace, name: 'a', annotations },
        binaryData: { b: 'AAEC' },
      });
      const read = await port.get<KubeObject & { binaryData?: object }>(addressOf(made));
      expect(read).toBeDefined();
      if (read === undefined) return;
      const written = await port.replace({ ...read, data: { x: '2' } });
      expect(written.metadata.annotations).toMatchObject(annotations);
      expect(written).toMatchObject({ binaryData: { b: 'AAEC' }, data: { x: '2' } });
    }),
  );

  it(
    'keeps namespaces apart, and objects of the cluster out of them',
    on(async ({ port, namespace }) => {
      await port.create(configMap(namespace, 'a'));
      const there = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'a' };
      expect(await port.get(there)).toBeUndefined();
      const metadata = { name: 'contract-node' };
      const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata };
      const made = await port.create(node);
      expect(made.metadata.namespace).toBeUndefined();
      expect(await port.get(addressOf(node))).toMatchObject({
        metadata: { name: 'contract-node' },
      });
      await port.delete(addressOf(node));
    }),
  );

  it(
    'tells its version and what it serves',
    on(async ({ port }) => {
      expect((await port.version()).gitVersion).toMatch(/^v1\.\d+\.\d+/);
      const { resources } = await port.resources();
      const pods = resources.find(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Pod');
      expect(pods).toMatchObject({ plural: 'pods', namespaced: true });
      expect(pods?.subresources).toEqual(
        expect.arrayContaining(['eviction', 'exec', 'log', 'status']),
      );
      expect(pods?.verbs).toEqual(expect.arrayContaining(['list', 'watch', 'patch']));
      expect(resources.find(({ kind }) => kind === 'Node')).toMatchObject({ namespaced: false });
    }),
  );
}
