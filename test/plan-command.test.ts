/** `plan` and `rehearse` as commands, over files: what is written, read back, refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runPlanCommand } from '../src/cli/commands/plan.ts';
import { run as runRehearse } from '../src/cli/commands/rehearse.ts';
import type { CliContext } from '../src/cli/context.ts';
import type { RehearseFlags } from '../src/cli/flags.ts';
import { expandCluster } from '../src/twin/scenario/expand-cluster.ts';
import { clusterSpecOf } from '../src/twin/scenario/read-spec.ts';
import { snapshotFiles } from '../src/twin/scenario/snapshot-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'regauge-plan-'));
const target = join(directory, 'target.yaml');
const out = join(directory, 'planned');

function writeSnapshot(folder: string, workers: number): string {
  const spec = clusterSpecOf({
    kind: 'ClusterSpec',
    name: 'small',
    versions: { talos: '1.10.2', kubernetes: '1.32.3' },
    network: { endpoint: 'https://10.0.1.200:6443' },
    machine: {},
    nodes: { prefix: 'n', controlPlanes: 3, workers, firstAddress: '10.0.1.10' },
    workloads: [
      {
        kind: 'Deployment',
        namespace: 'apps',
        name: 'web',
        image: 'example.com/web:1',
        replicas: 4,
      },
    ],
  });
  const path = mkdtempSync(join(directory, folder));
  for (const { name, text } of snapshotFiles(expandCluster(spec)))
    writeFileSync(join(path, name), text);
  return path;
}

function context(): { readonly cli: CliContext; readonly printed: () => string } {
  const printed: string[] = [];
  const stdout = { write: (text: string) => void printed.push(text) };
  const stderr = { write: () => undefined };
  const stdin = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true as const, value: undefined }),
    }),
  };
  return {
    cli: { process: { stdout, stderr, stdin, env: { NO_COLOR: '1' } } },
    printed: () => printed.join(''),
  };
}

async function rehearse(snapshot: string, flags: Partial<RehearseFlags>) {
  const { cli, printed } = context();
  await runRehearse.call(
    cli,
    { output: 'json', events: false, live: false, target, ...flags },
    snapshot,
  );
  return { exit: cli.process.exitCode, printed: printed() };
}

describe('plan and rehearse', () => {
  let snapshot = '';

  beforeAll(async () => {
    snapshot = writeSnapshot('snapshot-', 2);
    writeFileSync(target, 'kubeProxyReplacement: true\nipam: {mode: cluster-pool}\n');
    const { cli } = context();
    await runPlanCommand.call(
      cli,
      { output: 'text', live: false, target, out, ciliumVersion: '1.18.3' },
      snapshot,
    );
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('write a plan with a runbook that names every step, and no secret', () => {
    const plan = JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8')) as {
      readonly steps: readonly { readonly title: string }[];
    };
    const runbook = readFileSync(join(out, 'runbook.md'), 'utf8');
    for (const { title } of plan.steps) expect(runbook).toContain(`### ${title}`);
    expect(runbook).not.toMatch(/-----BEGIN|token:/);
  });

  it('foretell, in the plan that is written, what a rehearsal of it says', async () => {
    const { predictions } = JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8')) as {
      readonly predictions?: unknown;
    };
    const { printed } = await rehearse(snapshot, { plan: join(out, 'plan.json') });
    expect(predictions).toEqual((JSON.parse(printed) as { readonly summary: unknown }).summary);
  });

  it('play the plan that was written, and say so with the exit status', async () => {
    const { exit, printed } = await rehearse(snapshot, { plan: join(out, 'plan.json') });
    expect(JSON.parse(printed)).toMatchObject({ kind: 'Rehearsal', outcome: 'clean' });
    expect(exit).toBe(0);
  });

  it('print one event a line, and nothing else, with --events', async () => {
    const { printed } = await rehearse(snapshot, { events: true, ciliumVersion: '1.18.3' });
    const events = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type: string });
    expect(events.length).toBeGreaterThan(50);
    expect(events.at(-1)?.type).toBe('done');
  });

  it('refuse a plan that somebody changed', async () => {
    const changed = join(directory, 'changed.json');
    writeFileSync(
      changed,
      readFileSync(join(out, 'plan.json'), 'utf8').replace(
        '"timeoutSeconds": 1800',
        '"timeoutSeconds": 18',
      ),
    );
    await expect(rehearse(snapshot, { plan: changed })).rejects.toThrow(/changed by hand/);
  });

  it('refuse a plan for another state of the cluster, and name what changed', async () => {
    const grown = writeSnapshot('grown-', 3);
    await expect(rehearse(grown, { plan: join(out, 'plan.json') })).rejects.toThrow(
      /changed since: .*nodes/,
    );
  });

  it('play a runbook instead, which ends as it deserves', async () => {
    const runbook = join(directory, 'steps.yaml');
    writeFileSync(
      runbook,
      'kind: Runbook\napiVersion: regauge.dev/v1\nsteps:\n  - kubectl: {action: delete, kind: DaemonSet, namespace: kube-system, name: kube-flannel}\n  - talos: {action: reboot, nodes: [workers]}\n  - wait: {seconds: 600}\n',
    );
    const { exit, printed } = await rehearse(snapshot, { runbook });
    expect(JSON.parse(printed)).toMatchObject({ outcome: 'stuck' });
    expect(exit).toBe(1);
  });
});
