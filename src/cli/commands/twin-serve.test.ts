import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { EventEmitter, once } from 'node:events';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runApp } from '../app.ts';
import { mapOf, textOf, type Tree } from '../../base/json-tree.ts';
import type { CliProcess } from '../context.ts';

const SPEC = `
kind: ClusterSpec
name: small
versions: { talos: 1.10.2, kubernetes: 1.33.0 }
network: { endpoint: 'https://10.0.0.9:6443' }
machine: {}
nodes: { prefix: t, controlPlanes: 1, workers: 1, firstAddress: 10.0.0.10 }
`;

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'regauge-served-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Run {
  readonly status: Promise<number>;
  /** Tells each `document` that is whole. */
  readonly output: EventEmitter;
}

function run(...args: readonly string[]): Run {
  const output = new EventEmitter();
  let text = '';
  const write = (more: string): void => {
    text += more;
    if (text.endsWith('}\n')) output.emit('document', text);
  };
  const streams: CliProcess = { stdout: { write }, stderr: { write }, stdin: empty(), env: {} };
  return { status: runApp(args, streams), output };
}

async function documentOf({ status, output }: Run): Promise<Tree> {
  const told: unknown = await Promise.race([once(output, 'document'), status]);
  return mapOf(JSON.parse(String(told)));
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // Nothing is typed.
}

function pem(text: string | undefined): Buffer {
  return Buffer.from(text ?? '', 'base64');
}

function get(url: string, kubeconfig: string): Promise<number | undefined> {
  const config = parse(kubeconfig) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const ca = pem(config.clusters[0]?.cluster['certificate-authority-data']);
  const cert = pem(config.users[0]?.user['client-certificate-data']);
  const key = pem(config.users[0]?.user['client-key-data']);
  return new Promise((resolve, reject) => {
    request(url, { ca, cert, key, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('regauge twin serve', () => {
  it('serves with the kubeconfig it wrote for its owner alone, and ends well when it is ended', async () => {
    const spec = join(directory, 'small.yaml');
    writeFileSync(spec, SPEC);
    const out = join(directory, 'out');
    const command = run('twin', 'serve', '--cluster', spec, '--out', out, '-o', 'json');
    const kubernetes = mapOf((await documentOf(command))['kubernetes']);
    const url = textOf(kubernetes['url']);
    const path = join(out, 'kubeconfig');
    expect(kubernetes['kubeconfig']).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const kubeconfig = readFileSync(path, 'utf8');
    expect(await get(`${url}/api/v1/nodes`, kubeconfig)).toBe(200);
    process.emit('SIGTERM');
    expect(await command.status).toBe(0);
    await expect(get(`${url}/version`, kubeconfig)).rejects.toThrow('ECONNREFUSED');
  });

  it('does not let others reach it unasked', async () => {
    const { status } = run('twin', 'serve', '--listen', '0.0.0.0:0', '--out', directory);
    expect(await status).toBe(2);
  });
});
