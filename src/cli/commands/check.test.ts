/** `check` and `explain` as a user runs them, with injected streams. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAZARDS } from '../../hazards/registry.ts';
import type { CliContext } from '../context.ts';
import type { CheckFlags } from '../flags.ts';
import { run as check, runCheck } from './check.ts';
import { hazardsNamed, pageOf, run as explain } from './explain.ts';

let root = '';
let snapshot = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'regauge-check-'));
  snapshot = join(root, 'snapshot.json');
  const labels = { app: 'web' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'web', image: 'web:1' }] },
  };
  const items = [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'cp-1' }, spec: {}, status: {} },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    },
  ];
  writeFileSync(snapshot, JSON.stringify({ kind: 'List', apiVersion: 'v1', items }, undefined, 2));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

interface Ran {
  readonly out: string;
  readonly status: unknown;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function ran(work: (context: CliContext) => Promise<void>): Promise<Ran> {
  const written: string[] = [];
  const process: CliContext['process'] = {
    stdout: { write: (text) => void written.push(text) },
    stderr: { write: () => undefined },
    stdin: nothing(),
    env: {},
  };
  await work({ process });
  return { out: written.join(''), status: process.exitCode };
}

const helmStep = (action: string, more = ''): string =>
  [
    `  - helm: {action: ${action}, release: cilium, namespace: kube-system,`,
    '      chart: cilium/cilium, version: v1.16.5,',
    `      values: {kubeProxyReplacement: strict}${more}}`,
  ].join('\n');

const FLAGS: CheckFlags = { output: 'text', failOn: 'high', live: false };
const checked = (flags: Partial<CheckFlags>): Promise<Ran> =>
  ran((context) => check.call(context, { ...FLAGS, ...flags }, snapshot));

describe('check', () => {
  it('finds a hazard in a snapshot, at its place in the JSON, and exits 1', async () => {
    const { out, status } = await checked({ only: 'budget-deadlock' });
    expect(status).toBe(1);
    expect(out).toContain('HIGH  ');
    expect(out).toMatch(/snapshot\.json:\d+:\d+\n {1,6}\d+ \| /);
    expect(out).toMatch(/1 high \(1 hazard looked for\)\n$/);
  });

  it('takes failure modes for names of hazards, and demotes what is ignored', async () => {
    const report = await runCheck({
      paths: [snapshot],
      only: ['fm-17'],
      ignore: ['budget-deadlock'],
    });
    expect(report.findings.map(({ severity }) => severity)).toEqual(['info']);
    expect(report.summary).toMatchObject({ high: 0, info: 1 });
    expect((await checked({ only: 'FM-17', ignore: 'FM-17' })).status).toBe(0);
    expect((await checked({ only: 'FM-17', ignore: 'FM-17', failOn: 'info' })).status).toBe(1);
  });

  it.each(['json', 'yaml', 'sarif', 'junit'] as const)(
    'prints exactly one document as %s',
    async (output) => {
      const { out, status } = await checked({ output, only: 'budget-deadlock' });
      expect(status).toBe(1);
      if (output === 'json' || output === 'sarif') JSON.parse(out);
      expect(out.trimStart().slice(0, 5)).toBe(
        { json: '{\n  "', yaml: 'apiVe', sarif: '{\n  "', junit: '<?xml' }[output],
      );
    },
  );

  it('judges values that stand in a runbook, at their place, unless they are laid over others', async () => {
    const runbook = join(root, 'runbook.yaml');
    const steps = [helmStep('install'), helmStep('upgrade', ', reuseValues: true')].join('\n');
    writeFileSync(runbook, `kind: Runbook\nsteps:\n${steps}\n`);
    const only = ['kube-proxy-replacement-spelling'];
    const { findings } = await runCheck({ paths: [runbook], only });
    expect(findings.map(({ evidence }) => evidence[0]?.source)).toEqual([`${runbook}:5:38`]);
    expect(findings[0]?.certainty).toBe('proven');
  });

  it('gives the same report whatever the order of objects', async () => {
    const first = await runCheck({ paths: [snapshot] });
    expect(JSON.stringify(await runCheck({ paths: [snapshot] }))).toBe(JSON.stringify(first));
  });

  it.each([
    [{ paths: [] }, 'no files were given'],
    [{ only: ['nonsense'] }, 'no hazard is called "nonsense"'],
    [{ ciliumVersion: 'latest' }, '--cilium-version latest is not a full version'],
  ])('refuses %j', async (options, message) => {
    await expect(runCheck({ paths: [snapshot], ...options })).rejects.toMatchObject({
      code: 'usage',
      message,
    });
  });
});

describe('explain', () => {
  it('has a page for every hazard, with its card and sources', async () => {
    for (const hazard of HAZARDS) {
      const page = await pageOf(hazard);
      expect(page).toMatch(/^# .+\n\n`[a-z0-9-]+` · FM-\d+/);
      expect(page).toMatch(/^## (References|Sources)/m);
    }
  });

  it('prints the page by id or failure mode, and lists all without a name', async () => {
    const page = await ran((context) => explain.call(context, {}, 'budget-deadlock'));
    expect(page.out).toMatch(
      /^A disruption budget .*\n\nbudget-deadlock|^A disruption budget .*\n\n`budget-deadlock`/,
    );
    expect(hazardsNamed('fm-17').map(({ id }) => id)).toContain('budget-deadlock');
    const list = await ran((context) => explain.call(context, {}));
    expect(list.out.trimEnd().split('\n')).toHaveLength(HAZARDS.length);
  });

  it('suggests what may have been meant', () => {
    expect(() => hazardsNamed('budget-stuck')).toThrow('no hazard is called "budget-stuck"');
  });
});
