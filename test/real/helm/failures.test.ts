/**
 * What real Helm complains of has the code that it should have: the texts that `failures.ts` goes by
 * are Helm's, client-go's and the registries', and change with them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type HelmOptions, openHelm } from '../../../src/drivers/helm/open.ts';
import { helmHome } from '../command.ts';

const binary = process.env['REGAUGE_REAL_HELM'] ?? '';
const chart = process.env['REGAUGE_REAL_CHART'] ?? '';
const kubeconfig = process.env['REGAUGE_REAL_KUBECONFIG'] ?? '';
const capabilities = () => Promise.resolve({ kubeVersion: 'v1.33.0', apiVersions: ['v1'] });

let directory = '';
let repository: Server | undefined;
let address = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'regauge-contract-'));
  const helm = (...args: readonly string[]): unknown =>
    spawnSync(binary, args, { env: { ...process.env, ...helmHome(directory) } });
  helm('package', chart, '--destination', directory);
  repository = createServer((request, answer) => {
    try {
      answer.end(readFileSync(join(directory, request.url ?? '')));
    } catch {
      answer.writeHead(404).end();
    }
  });
  const server = repository;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = `http://127.0.0.1:${typeof bound === 'object' ? (bound?.port ?? 0) : 0}`;
  helm('repo', 'index', directory, '--url', address);
});

afterAll(() => {
  repository?.closeAllConnections();
  repository?.close();
  rmSync(directory, { recursive: true, force: true });
});

function opened(options: HelmOptions = {}) {
  const environment = { PATH: process.env['PATH'], HOME: directory, ...helmHome(directory) };
  return openHelm({ kubeconfig, environment, binary, chart, capabilities, ...options });
}

function render(source: string, version = '1.16.5') {
  return opened({ chart: source }).template({
    release: 'cilium',
    namespace: 'default',
    chart: 'cilium',
    version,
    values: {},
  });
}

interface Config {
  readonly clusters: { readonly cluster: Record<string, unknown> }[];
  readonly users: { user: unknown }[];
}

/** The kubeconfig with something changed. */
function changed(change: (config: Config) => void): HelmOptions {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Config; // as kubectl reads it
  change(config);
  const path = join(directory, 'kubeconfig');
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return { kubeconfig: path };
}

const user = (what: unknown) =>
  changed((config) => config.users.forEach((one) => (one.user = what)));
const cluster = (what: Record<string, unknown>) =>
  changed((config) => config.clusters.forEach((one) => Object.assign(one.cluster, what)));

describe('real Helm and a cluster', () => {
  it.each([
    ['a token that nobody knows', 'unauthenticated', () => user({ token: 'nope' })],
    [
      'a credential plugin that is not there',
      'unauthenticated',
      () =>
        user({
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: 'no-such-plugin',
            interactiveMode: 'Never',
          },
        }),
    ],
    ['somebody who may nothing', 'forbidden', () => ({ as: 'nobody' })],
    ['a port that is closed', 'unreachable', () => cluster({ server: 'https://127.0.0.1:1' })],
    [
      'an authority that did not sign',
      'untrusted',
      () =>
        cluster({ 'certificate-authority-data': undefined, 'certificate-authority': undefined }),
    ],
  ] as const)('%s is %s', async (_what, code, options) => {
    await expect(opened(options()).status('cilium', 'default')).rejects.toMatchObject({ code });
  });
});

describe('real Helm and charts', () => {
  it('come from a repository, from an archive of it, and from this machine', async () => {
    for (const source of [
      address,
      `${address}/cilium-{version}.tgz`,
      join(directory, 'cilium-{version}.tgz'),
    ]) {
      expect((await render(source)).length).toBeGreaterThan(5);
    }
  });

  it.each([
    ['a version that the repository has not', 'not-found', () => render(address, '1.16.99')],
    ['an archive that is not there', 'not-found', () => render(`${address}/{version}.tgz`)],
    ['a repository that is closed', 'unreachable', () => render('http://127.0.0.1:1')],
    ['a registry that is closed', 'unreachable', () => render('oci://127.0.0.1:1/cilium')],
    ['a repository that is not known', 'bad-input', () => render('nowhere/cilium')],
    ['a folder that is no chart', 'bad-input', () => render(directory)],
    ['a file that is no archive', 'bad-input', () => render(kubeconfig)],
    ['another version than is asked for', 'bad-input', () => render(chart, '1.18.0')],
  ] as const)('%s is %s', async (_what, code, work) => {
    await expect(work()).rejects.toMatchObject({ code });
  });
});
