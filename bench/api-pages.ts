/** The pages that a snapshot reads of a server, as addresses, and `curl` over all of them. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { sizedLimit } from '../src/drivers/kubernetes/list-pages.ts';
import { SNAPSHOT_KINDS } from '../src/engine/snapshot/kinds.ts';
import { BUILT_IN_RESOURCES } from '../src/knowledge/api-resources.ts';
import type { TwinProcess } from './twin-process.ts';

export interface ApiPages {
  readonly addresses: readonly string[];
  readonly bytes: number;
}

const FIRST_LIMIT = 500;

export async function pagesOfSnapshot(twin: TwinProcess): Promise<ApiPages> {
  const addresses: string[] = [];
  let bytes = 0;
  for (const { apiVersion, kind } of SNAPSHOT_KINDS) {
    const place = BUILT_IN_RESOURCES.find(
      (each) => each.apiVersion === apiVersion && each.kind === kind,
    );
    if (place === undefined) continue;
    const root = apiVersion.includes('/') ? 'apis' : 'api';
    const path = `${twin.url}/${root}/${apiVersion}/${place.plural}`;
    let limit = FIRST_LIMIT;
    let token = '';
    do {
      const address = `${path}?limit=${limit}${token === '' ? '' : `&continue=${token}`}`;
      const body = await bodyOf(twin, address);
      addresses.push(address);
      bytes += body.length;
      limit = sizedLimit(limit, body.length);
      token = /"continue":"([^"]+)"/.exec(body.toString('utf8', 0, 2_000))?.[1] ?? '';
    } while (token !== '');
  }
  return { addresses, bytes };
}

/** The name of one of its nodes. */
export async function someNode(twin: TwinProcess): Promise<string> {
  const body = await bodyOf(twin, `${twin.url}/api/v1/nodes?limit=1`);
  return /"name":"([^"]+)"/.exec(body.toString('utf8'))?.[1] ?? '';
}

function bodyOf(twin: TwinProcess, address: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asked = request(address, { agent: twin.agent }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(pieces));
        else reject(new Error(`${address}: ${answer.statusCode}`));
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}

/** Milliseconds that one `curl` takes for all of them, on one connection, into nothing. */
export function timeCurl(twin: TwinProcess, { addresses, bytes }: ApiPages): number {
  const { authority, certificate, key } = twin.files;
  const lines = [
    'silent',
    'fail',
    `cacert="${authority}"`,
    `cert="${certificate}"`,
    `key="${key}"`,
    'write-out="%{size_download}\\n"',
    ...addresses.flatMap((address) => [`url="${address}"`, 'output="/dev/null"']),
  ];
  const config = `${twin.kubeconfig}.curl`;
  writeFileSync(config, `${lines.join('\n')}\n`);
  const start = performance.now();
  const { status, stdout } = spawnSync('curl', ['--config', config], { encoding: 'utf8' });
  const took = performance.now() - start;
  const read = stdout
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
  if (status !== 0 || read !== bytes) throw new Error(`curl read ${read} of ${bytes} bytes`);
  return took;
}
