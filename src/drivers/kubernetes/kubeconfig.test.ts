/**
 * Whose cluster, and as whom: kubeconfigs as people have them, and broken ones. No message holds a
 * token, whatever it is about.
 */
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type FakeServer,
  kubeconfigText,
  QuickTimers,
  scratch,
  sendJson,
  serverIdentity,
  type ServerIdentity,
  startServer,
  statusBody,
} from '../../../test/support/fake-api-server.ts';
import { environmentProxy } from './environment-proxy.ts';
import { openKubernetes, type OpenOptions } from './open.ts';

const NODE = { apiVersion: 'v1', kind: 'Node', name: 'n1' };
const SECRET = 'very-secret-token';

let identity: ServerIdentity;
let server: FakeServer;
let directory: ReturnType<typeof scratch>;
/** What the server takes; anything else is a 401. */
let token: string;

beforeAll(async () => {
  identity = await serverIdentity();
});

beforeEach(async () => {
  token = SECRET;
  directory = scratch();
  server = await startServer(identity, ({ headers }, answer) => {
    if (headers.authorization === `Bearer ${token}`) {
      sendJson(answer, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    } else sendJson(answer, statusBody(401, 'Unauthorized', 'Unauthorized'), 401);
  });
});

afterEach(async () => {
  await server.close();
  directory.remove();
});

function config(user: object, cluster: object = {}): string {
  return kubeconfigText(server.url, identity.authority, user, cluster);
}

async function ask(options: OpenOptions): Promise<unknown> {
  const port = await openKubernetes({
    environment: { PATH: process.env['PATH'] },
    isInteractive: false,
    timers: new QuickTimers(),
    ...options,
  });
  try {
    return await port.get(NODE);
  } finally {
    await port.close();
  }
}

/** How it failed; the message of what told the secret, so that no test is content with it. */
async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  const { code, message, hint = '' } = error as { code: string; message: string; hint?: string };
  const hasTold = `${message} ${hint} ${JSON.stringify(error)}`.includes(SECRET);
  return hasTold ? { code: 'told', message: 'the secret', hint } : { code, message, hint };
}

/** A plugin that runs the script and counts how often it ran. */
function plugin(script: string): object {
  const runs = path.join(directory.path, 'runs');
  directory.write('plugin', `#!/bin/sh\necho run >> '${runs}'\n${script}\n`, 0o700);
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin' } };
}

function credential(value: string): string {
  return `echo '{"kind":"ExecCredential","status":{"token":"${value}"}}'`;
}

describe('kubeconfig', () => {
  it('takes the first of several files for each name, and minds none that is missing', async () => {
    const own = directory.write('one', config({ token: SECRET }));
    const other = directory.write('two', config({ token: 'another' }).replaceAll('fake', 'second'));
    const environment = { KUBECONFIG: [path.join(directory.path, 'none'), own, other].join(':') };
    const port = await openKubernetes({ environment });
    expect(port.describe).toEqual({
      context: 'fake',
      server: server.url,
      user: 'alice',
      namespace: 'default',
    });
    await port.close();
    // The second file's context names a user that the first file has.
    expect(await ask({ environment, context: 'second' })).toMatchObject({ kind: 'Node' });
  });

  it('tells which contexts there are when the one that is asked for is not', async () => {
    const kubeconfig = directory.write('config', config({ token: SECRET }));
    const error = await failureOf(ask({ kubeconfig, context: 'prod' }));
    expect(error).toMatchObject({ code: 'bad-input', hint: 'There are: fake.' });
    expect(error.message).toContain('there is no context "prod"');
  });

  it('says where a kubeconfig is broken without a word of what it holds', async () => {
    const broken = directory.write('config', `users:\n- user: {token: ${SECRET}\n  : [`);
    expect(await failureOf(ask({ kubeconfig: broken }))).toMatchObject({
      code: 'bad-input',
      message: 'the kubeconfig is no YAML',
    });
    const none = path.join(directory.path, 'none');
    expect((await failureOf(ask({ kubeconfig: none }))).message).toContain('ENOENT');
    const missing = directory.write(
      'm',
      config({ 'client-certificate': 'gone.pem', 'client-key': 'k' }),
    );
    const error = await failureOf(ask({ kubeconfig: missing }));
    expect(error).toMatchObject({ code: 'bad-input' });
    expect(error.message).toContain(path.join(directory.path, 'gone.pem'));
    const damaged = directory.write(
      'd',
      config({ token: SECRET }, { 'certificate-authority-data': 'AAAA' }),
    );
    expect(await failureOf(ask({ kubeconfig: damaged }))).toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('certificate-authority') as string,
    });
  });

  it('does not send credentials without TLS to another machine', async () => {
    const plain = kubeconfigText('http://10.0.0.1:8080', identity.authority);
    const error = await failureOf(ask({ kubeconfig: directory.write('config', plain) }));
    expect(error).toMatchObject({ code: 'bad-input' });
  });

  it('reads a token from the file that is named, beside the kubeconfig', async () => {
    directory.write('token', SECRET);
    const kubeconfig = directory.write('config', config({ tokenFile: 'token' }));
    expect(await ask({ kubeconfig })).toMatchObject({ kind: 'Node' });
  });

  it('asks as somebody else when it is told to', async () => {
    const kubeconfig = directory.write('config', config({ token: SECRET }));
    await ask({ kubeconfig, as: 'bob', asGroups: ['dev', 'ops'] });
    expect(server.requests[0]?.headers).toMatchObject({
      'impersonate-user': 'bob',
      'impersonate-group': 'dev, ops',
    });
    expect(await failureOf(ask({ kubeconfig, asGroups: ['dev'] }))).toMatchObject({
      code: 'usage',
    });
  });
});

describe('credential plugins', () => {
  it('asks a plugin once for as long as its token is taken, and again when it is not', async () => {
    const kubeconfig = directory.write('config', config(plugin(credential(SECRET))));
    const port = await openKubernetes({ kubeconfig, environment: {}, isInteractive: false });
    await port.get(NODE);
    await port.get(NODE);
    expect(server.requests).toHaveLength(2);
    token = 'renewed';
    plugin(credential(token));
    expect(await port.get(NODE)).toMatchObject({ kind: 'Node' });
    expect(server.requests).toHaveLength(4);
    await port.close();
  });

  it('tells a plugin its task', async () => {
    const script = `case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ${credential(SECRET)};; esac`;
    const kubeconfig = directory.write('config', config(plugin(script)));
    expect(await ask({ kubeconfig })).toMatchObject({ kind: 'Node' });
  });

  it('passes on what a failing plugin says, and nothing of what it printed', async () => {
    const script = `echo ${SECRET}; echo 'the session has ended: log in' >&2; exit 7`;
    const kubeconfig = directory.write('config', config(plugin(script)));
    const error = await failureOf(ask({ kubeconfig }));
    expect(error).toMatchObject({ code: 'unauthenticated' });
    expect(error.message).toContain('exit code 7: the session has ended: log in');
    expect(server.requests).toEqual([]);
  });

  it('takes no rubbish for a credential, and shows none of it', async () => {
    for (const script of [`echo 'rubbish ${SECRET}'`, `echo '{"status":{}}'`, 'true']) {
      const kubeconfig = directory.write('config', config(plugin(script)));
      const error = await failureOf(ask({ kubeconfig }));
      expect(error).toMatchObject({ code: 'unauthenticated' });
      expect(error.message).toMatch(/credential plugin plugin of the kubeconfig printed/);
    }
  });

  it('says that a plugin is not installed, with the hint of who wrote the kubeconfig', async () => {
    const exec = { command: 'no-such-plugin', installHint: 'Install it from example.com.' };
    const kubeconfig = directory.write('config', config({ exec }));
    expect(await failureOf(ask({ kubeconfig }))).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('is not installed') as string,
      hint: 'Install it from example.com.',
    });
  });
});

describe('proxies of the environment', () => {
  const url = new URL('https://api.example.com:6443');
  const proxy = 'http://proxy:3128';

  it('is used for all but what NO_PROXY names, and never for this machine', () => {
    const through = (noProxy: string, at = url): boolean =>
      environmentProxy(at, { HTTPS_PROXY: proxy, NO_PROXY: noProxy }) === proxy;
    expect(through('')).toBe(true);
    expect(through('other.com, .example.org')).toBe(true);
    expect(through('example.com')).toBe(false);
    expect(through('.example.com')).toBe(false);
    expect(through('api.example.com:6443')).toBe(false);
    expect(through('api.example.com:443')).toBe(true);
    expect(through('*')).toBe(false);
    expect(through('10.0.0.0/8', new URL('https://10.1.2.3:6443'))).toBe(false);
    expect(through('10.0.0.0/8', new URL('https://11.1.2.3:6443'))).toBe(true);
    expect(through('', new URL('https://127.0.0.1:6443'))).toBe(false);
    expect(environmentProxy(url, { https_proxy: 'proxy:3128' })).toBe(proxy);
    expect(environmentProxy(url, { HTTP_PROXY: proxy })).toBeUndefined();
  });
});
