import { describe, expect, it } from 'vitest';
import { testApi } from './testing.ts';
import { listOf, mapOf, textOf, valueAt } from '../../../base/json-tree.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

function deployment(name: string, more: object = {}): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i:1' }] } },
      ...more,
    },
  };
}

function nodePort(name: string): object {
  return { metadata: { name }, spec: { type: 'NodePort', ports: [{ port: 80 }] } };
}

describe('who asks', () => {
  it('is told 401 without a certificate, except for what everybody may see', async () => {
    const { ask } = testApi();
    expect(await ask('GET', '/api/v1/pods', { anonymous: true })).toMatchObject({
      status: 401,
      body: { kind: 'Status', reason: 'Unauthorized', code: 401 },
    });
    expect(await ask('GET', '/readyz', { anonymous: true })).toMatchObject({
      status: 200,
      body: { text: 'ok' },
    });
    expect((await ask('GET', '/version', { anonymous: true })).body).toMatchObject({
      gitVersion: 'v1.33.0',
      major: '1',
      minor: '33',
    });
  });

  it('is known by a token that was issued, until its service account is another', async () => {
    const { ask } = testApi();
    const path = '/api/v1/namespaces/a/serviceaccounts/default/token';
    const { status, body } = await ask('POST', path, { body: { spec: {} } });
    expect(status).toBe(201);
    const authorization = `Bearer ${textOf(valueAt(body, 'status', 'token'))}`;
    const review = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const asAccount = { anonymous: true, headers: { authorization }, body: {} };
    expect((await ask('POST', review, asAccount)).body).toMatchObject({
      status: { userInfo: { username: 'system:serviceaccount:a:default' } },
    });
    await ask('DELETE', '/api/v1/namespaces/a/serviceaccounts/default');
    expect((await ask('POST', review, asAccount)).status).toBe(401);
  });
});

describe('discovery', () => {
  it('tells all groups in one document, with subresources and their own kinds', async () => {
    const { ask } = testApi();
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const { body, type } = await ask('GET', '/apis', { accept });
    expect(type).toBe(accept);
    const apps = listOf(body['items']).find((each) => valueAt(each, 'metadata', 'name') === 'apps');
    const [version] = listOf(valueAt(apps, 'versions'));
    const deployments = listOf(valueAt(version, 'resources')).find(
      (each) => valueAt(each, 'resource') === 'deployments',
    );
    expect(deployments).toMatchObject({
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      shortNames: ['deploy'],
      categories: ['all'],
    });
    expect(listOf(valueAt(deployments, 'subresources'))).toContainEqual({
      subresource: 'scale',
      responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      verbs: ['get', 'patch', 'update'],
    });
  });

  it('serves a custom kind as soon as its definition is there, with its columns', async () => {
    const { ask } = testApi();
    const path = '/apis/example.com/v1/widgets';
    expect((await ask('GET', path)).body).toMatchObject({
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
    });
    const version = {
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: 'object' } },
      additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
    };
    const names = { kind: 'Widget', plural: 'widgets' };
    const spec = { group: 'example.com', scope: 'Cluster', names, versions: [version] };
    const definition = { metadata: { name: 'widgets.example.com' }, spec };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await ask('POST', crds, { body: definition })).body).toMatchObject({
      status: { acceptedNames: { listKind: 'WidgetList' } },
    });
    const widget = { metadata: { name: 'w' }, spec: { size: 3 } };
    expect((await ask('POST', path, { body: widget })).status).toBe(201);
    const { body } = await ask('GET', path, { accept: TABLE });
    expect(listOf(body['columnDefinitions']).map((each) => valueAt(each, 'name'))).toEqual([
      'Name',
      'Size',
    ]);
    expect(valueAt(listOf(body['rows'])[0], 'cells')).toEqual(['w', 3]);
  });
});

describe('what is refused', () => {
  it('says so with the codes, reasons and words of the API server', async () => {
    const { ask } = testApi();
    const deployments = '/apis/apps/v1/namespaces/a/deployments';
    expect((await ask('GET', '/api/v1/namespaces/a/pods/none')).body).toMatchObject({
      code: 404,
      message: 'pods "none" not found',
    });
    expect((await ask('GET', `${deployments}/none`)).body).toMatchObject({
      message: 'deployments.apps "none" not found',
      details: { name: 'none', group: 'apps', kind: 'deployments' },
    });
    expect((await ask('POST', deployments, { body: deployment('web') })).body).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'deployments.apps "web" already exists',
    });
    const odd = deployment('x', { selector: { matchLabels: { app: 'y' } } });
    expect((await ask('POST', deployments, { body: odd })).body).toMatchObject({
      code: 422,
      message:
        'Deployment.apps "x" is invalid: spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
    });
    const nowhere = '/api/v1/namespaces/none/configmaps';
    expect((await ask('POST', nowhere, { body: { metadata: { name: 'x' } } })).body).toMatchObject({
      message: 'namespaces "none" not found',
    });
    expect((await ask('POST', nowhere, { body: 'x', type: 'text/csv' })).status).toBe(415);
  });

  it('is not done: an immutable selector, a version that has passed', async () => {
    const { ask } = testApi();
    const path = '/apis/apps/v1/namespaces/a/deployments/web';
    const { body } = await ask('GET', path);
    const changed = {
      ...body,
      spec: { ...mapOf(body['spec']), selector: { matchLabels: { app: 'other' } } },
    };
    expect((await ask('PUT', path, { body: changed })).body).toMatchObject({ code: 422 });
    const old = { ...body, metadata: { ...mapOf(body['metadata']), resourceVersion: '1' } };
    expect((await ask('PUT', path, { body: old })).body).toMatchObject({
      code: 409,
      message:
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    });
  });
});

describe('fields', () => {
  it('are refused, warned of or passed over where the kind has none such, and never stored', async () => {
    const { ask } = testApi();
    const path = '/apis/apps/v1/namespaces/a/deployments';
    const body = deployment('odd', { replica: 2 });
    expect((await ask('POST', `${path}?fieldValidation=Strict`, { body })).body).toMatchObject({
      code: 400,
      message:
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
    });
    const warned = await ask('POST', path, { body });
    expect(warned.status).toBe(201);
    expect(warned.warnings).toEqual(['299 - "unknown field \\"spec.replica\\""']);
    expect(warned.body['spec']).not.toHaveProperty('replica');
    const wrong = deployment('wrong', { replicas: 'two' });
    expect((await ask('POST', path, { body: wrong })).body).toMatchObject({
      code: 400,
      message:
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    });
  });
});

describe('what users create', () => {
  it('is run by the controllers, and shows what clients wait for', async () => {
    const { ask, world } = testApi();
    const path = '/apis/apps/v1/namespaces/a/deployments';
    expect((await ask('POST', path, { body: deployment('new') })).status).toBe(201);
    world.kernel.runUntil(world.kernel.now() + 60_000);
    const { body } = await ask('GET', `${path}/new`);
    expect(body['status']).toMatchObject({
      replicas: 1,
      availableReplicas: 1,
      updatedReplicas: 1,
      observedGeneration: 1,
    });
    const conditions = listOf(valueAt(body, 'status', 'conditions'));
    expect(conditions[0]).toMatchObject({ type: 'Available', status: 'True' });
  });

  it('gets addresses that nobody has, and keeps them', async () => {
    const { ask } = testApi();
    const path = '/api/v1/namespaces/a/services';
    const one = (await ask('POST', path, { body: nodePort('one') })).body;
    const two = (await ask('POST', path, { body: nodePort('two') })).body;
    expect(valueAt(one, 'spec', 'clusterIP')).not.toBe(valueAt(two, 'spec', 'clusterIP'));
    expect(valueAt(one, 'spec', 'ports')).toEqual([
      { port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30_000 },
    ]);
    const type = 'application/merge-patch+json';
    const patched = await ask('PATCH', `${path}/two`, {
      type,
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(valueAt(patched.body, 'spec')).toEqual(valueAt(two, 'spec'));
  });

  it('goes with its namespace', async () => {
    const { ask, world } = testApi();
    await ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'b' } } });
    const maps = '/api/v1/namespaces/b/configmaps';
    await ask('POST', maps, { body: { metadata: { name: 'x' } } });
    const { body } = await ask('DELETE', '/api/v1/namespaces/b');
    expect(body['status']).toEqual({ phase: 'Terminating' });
    expect((await ask('POST', maps, { body: { metadata: { name: 'y' } } })).body).toMatchObject({
      code: 403,
      details: { causes: [{ reason: 'NamespaceTerminating' }] },
    });
    world.kernel.runUntil(world.kernel.now() + 60_000);
    expect((await ask('GET', `${maps}/x`)).status).toBe(404);
    expect((await ask('GET', '/api/v1/namespaces/b')).status).toBe(404);
  });

  it('is not a rollout when something else of it changed', async () => {
    const { ask } = testApi();
    const path = '/apis/apps/v1/namespaces/a/deployments/web';
    const before = (await ask('GET', path)).body;
    const type = 'application/merge-patch+json';
    const annotated = await ask('PATCH', path, {
      type,
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(annotated.body['spec']).toEqual(before['spec']);
    const scaled = await ask('PATCH', path, { type, body: { spec: { replicas: 5 } } });
    expect(valueAt(scaled.body, 'spec', 'template')).toEqual(valueAt(before, 'spec', 'template'));
  });

  it('is not a rollout when nothing changed', async () => {
    const { ask } = testApi();
    const path = '/apis/apps/v1/namespaces/a/deployments/web';
    const before = (await ask('GET', path)).body;
    const type = 'application/strategic-merge-patch+json';
    const containers = [{ name: 'web', image: 'w:1' }];
    const body = { spec: { template: { spec: { containers } } } };
    const after = (await ask('PATCH', path, { type, body })).body;
    expect(valueAt(after, 'metadata', 'generation')).toBe(
      valueAt(before, 'metadata', 'generation'),
    );
  });
});

describe('eviction and scale', () => {
  it('scales through the subresource, only the version that was seen', async () => {
    const { ask } = testApi();
    const path = '/apis/apps/v1/namespaces/a/deployments/web/scale';
    const { body } = await ask('GET', path);
    expect(body).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } });
    const wanted = { ...body, spec: { replicas: 4 } };
    expect((await ask('PUT', path, { body: wanted })).body).toMatchObject({
      spec: { replicas: 4 },
    });
    expect((await ask('PUT', path, { body: wanted })).status).toBe(409);
    const negative = { ...body, metadata: { name: 'web' }, spec: { replicas: -1 } };
    expect((await ask('PUT', path, { body: negative })).status).toBe(422);
  });

  it('answers 429 with the budget that forbids it', async () => {
    const { ask, world } = testApi();
    const budget = {
      metadata: { name: 'none' },
      spec: { maxUnavailable: 0, selector: { matchLabels: {} } },
    };
    await ask('POST', '/apis/policy/v1/namespaces/a/poddisruptionbudgets', { body: budget });
    const [pod] = world.store.list('Pod', 'a');
    const path = `/api/v1/namespaces/a/pods/${pod?.metadata.name ?? ''}/eviction`;
    expect((await ask('POST', path, { body: {} })).body).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: { causes: [{ reason: 'DisruptionBudget' }] },
    });
  });
});
