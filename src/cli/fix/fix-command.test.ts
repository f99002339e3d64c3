/** Goal: `--fix` finds what helps by rehearsing it, takes nothing more than is needed, and says when nothing does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FixSearch } from '../../model/fix-search.ts';
import { fixSearch } from '../../model/schema/fix-search.ts';
import { run } from '../commands/rehearse.ts';
import type { CliContext } from '../context.ts';
import type { RehearseFlags } from '../flags.ts';

const directory = mkdtempSync(join(tmpdir(), 'regauge-fix-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function cluster(controlPlanes: number): string {
  const roles = ['control-plane', 'control-plane', 'control-plane'].slice(0, controlPlanes);
  const nodes = [...roles, 'worker', 'worker'].map(
    (role, index) => `  - { name: n${index}, address: 10.0.1.${10 + index}, role: ${role} }`,
  );
  return file(
    `cluster-${controlPlanes}.yaml`,
    `kind: ClusterSpec
name: small
versions: { talos: 1.10.2, kubernetes: 1.32.3 }
network: { podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12, endpoint: 'https://10.0.1.200:6443' }
machine: {}
nodes:
${nodes.join('\n')}
workloads:
  - { kind: Deployment, namespace: apps, name: web, image: 'example.com/web:1', replicas: 3, budget: { maxUnavailable: 1 } }
`,
  );
}

function values(pool: string): string {
  return file(
    `${pool.replaceAll(/\W/g, '-')}.yaml`,
    `kubeProxyReplacement: false
ipam:
  mode: cluster-pool
  operator:
    clusterPoolIPv4PodCIDRList: ['${pool}']
`,
  );
}

async function search(
  path: string,
  flags: Partial<RehearseFlags>,
): Promise<{ readonly exit: CliContext['process']['exitCode']; readonly text: string }> {
  const printed: string[] = [];
  const cli: CliContext = {
    process: {
      stdout: { write: (text: string) => void printed.push(text) },
      stderr: { write: () => undefined },
      stdin: {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: true as const, value: undefined }),
        }),
      },
      env: { NO_COLOR: '1' },
    },
  };
  const usual = { output: 'json', events: false, live: false, fix: true, rehearsals: 1 } as const;
  await run.call(cli, { ...usual, ciliumVersion: '1.18.14', ...flags }, path);
  return { exit: cli.process.exitCode, text: printed.join('') };
}

function documentOf(text: string): FixSearch {
  const document: unknown = JSON.parse(text);
  expect(fixSearch.parse(document)).toEqual(document);
  return document as FixSearch; // as the schema says
}

describe('rehearse --fix', () => {
  it('finds a pool for a target whose own cannot be used, and nothing else helps', async () => {
    const given = { target: values('10.244.0.0/16') };
    const { exit, text } = await search(cluster(3), given);
    const found = documentOf(text);
    expect(exit).toBe(0);
    expect(found.before).toMatchObject({ verdict: 'refused' });
    expect(found.fixes.map(({ changes }) => changes.map(({ id }) => id))).toEqual([['pool']]);
    expect(found.fixes[0]).toMatchObject({ outcome: 'clean', costs: null });
    expect(found.fixes[0]?.command).toContain('--pool-cidr 10.245.0.0/16');
    expect((await search(cluster(3), given)).text).toBe(text);
  });

  it('finds other strategies where nodes reboot under pods, and says what each costs', async () => {
    const given = { target: values('10.245.0.0/16'), strategy: 'reboot' } as const;
    const { text } = await search(cluster(3), given);
    const found = documentOf(text);
    expect(found.before.verdict).toBe('not-clean');
    const costs = found.fixes.map(({ costs }) => costs?.makespanSeconds ?? 0);
    expect(costs).toEqual(costs.toSorted((left, right) => left - right));
    expect(costs[0]).toBeLessThan(0);
    expect(found.fixes.map(({ changes }) => changes.map(({ id }) => id))).toContainEqual([
      'strategy-evict-in-place',
    ]);
    expect(found.tried.length).toBeGreaterThan(found.fixes.length);
  });

  it('has nothing to do for a plan that ends clean', async () => {
    const { exit, text } = await search(cluster(3), { target: values('10.245.0.0/16') });
    expect(exit).toBe(0);
    expect(documentOf(text)).toMatchObject({ before: { verdict: 'clean' }, tried: [], fixes: [] });
  });

  it('says what was tried where nothing helps', async () => {
    const { exit, text } = await search(cluster(2), {
      target: values('10.245.0.0/16'),
      output: 'text',
    });
    expect(exit).toBe(1);
    expect(text).toContain('No fix was found');
    expect(text).toContain('etcd has two voters');
  });

  it.each([
    ['a runbook', { runbook: 'steps.yaml' }, /a runbook are a person's/],
    ['a plan that was made before', { plan: 'plan.json' }, /give --target instead of --plan/],
    ['the way back', { rollback: 'waves' }, /without --rollback/],
    ['one fault', { fault: ['node-lost'] }, /add --faults/],
  ] as const)('refuses %s with what to do', async (_what, flags, message) => {
    await expect(search(cluster(3), flags)).rejects.toThrow(message);
  });
});
