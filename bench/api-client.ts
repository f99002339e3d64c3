/** JSON to and from an API server that a kubeconfig with certificates inside names. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityIn } from '../test/support/kubeconfig-identity.ts';

type Tree = Readonly<Record<string, unknown>>;

const TRIES = 100;
const BETWEEN_MS = 200;

export class ApiClient {
  private readonly url: string;
  private readonly agent: Agent;

  constructor(kubeconfig: string) {
    const { url, ...identity } = identityIn(readFileSync(kubeconfig, 'utf8'));
    this.url = url;
    this.agent = new Agent({ ...identity, keepAlive: true });
  }

  async list(path: string): Promise<readonly Tree[]> {
    const { items } = await this.send('GET', path);
    return items as readonly Tree[]; // of a list
  }

  async send(method: string, path: string, body?: Tree): Promise<Tree> {
    const { status, text } = await this.exchange(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as Tree; // an API object
  }

  /** Until there is something. */
  async until(path: string): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if ((await this.exchange('GET', path)).status === 200) return;
      await sleep(BETWEEN_MS);
    }
    throw new Error(`${path} did not come to be`);
  }

  private exchange(
    method: string,
    path: string,
    body?: Tree,
  ): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', accept: 'application/json' };
      const asked = request(`${this.url}${path}`, { method, agent: this.agent, headers });
      asked.once('error', reject);
      asked.once('response', (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(pieces).toString('utf8'),
          }),
        );
      });
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
