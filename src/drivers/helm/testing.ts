/** A program that stands for `helm` in tests: it answers as told, and writes down what it was given. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface FakeAnswer {
  /** The first words of a call: `history`, `get values`. */
  readonly to: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Does not end by itself. */
  readonly hangs?: true;
  /** Given once; then the next answer to the same words counts. */
  readonly once?: true;
}

export interface FakeCall {
  readonly args: readonly string[];
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
}

const PROGRAM = `
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const directory = __dirname;
const args = process.argv.slice(2);
const input = readFileSync(0, 'utf8');
const { env, pid } = process;
appendFileSync(directory + '/calls', JSON.stringify({ args, input, env, pid }) + '\\n');
const answers = JSON.parse(readFileSync(directory + '/answers', 'utf8'));
const line = args.join(' ');
const at = answers.findIndex(({ to }) => line.startsWith(to));
const answer = answers[at] ?? { stderr: 'Error: unknown command', exitCode: 1 };
if (answer.once) writeFileSync(directory + '/answers', JSON.stringify(answers.toSpliced(at, 1)));
process.stdout.write(answer.stdout ?? '');
process.stderr.write(answer.stderr ?? '');
if (answer.hangs !== undefined) setInterval(() => {}, 1_000);
else process.exitCode = answer.exitCode ?? 0;
`;

const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'here', cluster: { server: 'https://127.0.0.1:6443' } }],
  users: [{ name: 'me', user: { token: 'kubeconfig-token' } }],
  contexts: [{ name: 'lab', context: { cluster: 'here', user: 'me' } }],
  'current-context': 'lab',
});

export class FakeHelm {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'regauge-helm-'));
  readonly binary = path.join(this.directory, 'helm.cjs');
  readonly kubeconfig = path.join(this.directory, 'kubeconfig');

  constructor(answers: readonly FakeAnswer[]) {
    writeFileSync(this.binary, `#!${process.execPath}\n${PROGRAM}`);
    chmodSync(this.binary, 0o755);
    writeFileSync(this.kubeconfig, KUBECONFIG);
    writeFileSync(path.join(this.directory, 'calls'), '');
    this.answer([...answers, { to: 'version', stdout: 'v3.19.0' }]);
  }

  answer(answers: readonly FakeAnswer[]): void {
    writeFileSync(path.join(this.directory, 'answers'), JSON.stringify(answers));
  }

  calls(): readonly FakeCall[] {
    const lines = readFileSync(path.join(this.directory, 'calls'), 'utf8').trim().split('\n');
    // What the program above wrote.
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as FakeCall);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function historyLine(revision: number, status: string, chart = 'cilium-1.16.5') {
  const updated = '2026-11-23T12:34:56.045047046Z';
  return { revision, updated, status, chart, app_version: '1.16.5', description: '' };
}
