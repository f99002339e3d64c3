/**
 * Goal: sweeps hold what they promise (the same whoever rehearses, in whichever order; a stop from
 * outside tells what is known), and a fixed slice of faults breaks nothing on small clusters. The slice
 * that changes from run to run is `scripts/fault-lane.mjs`.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rehearseCase } from '../src/cli/faults/judge.ts';
import { sweepFaults, sweepNodesOf, type SweepRequest } from '../src/cli/faults/sweep.ts';
import { planFor } from '../src/cli/rehearsal-session.ts';
import type { FaultSweep } from '../src/model/fault-sweep.ts';
import { faultSweep } from '../src/model/schema/fault-sweep.ts';
import { readStrike } from '../src/twin/faults/fault-text.ts';
import { FAULTS } from '../src/twin/faults/registry.ts';
import type { ClusterSpecInput } from '../src/twin/scenario/cluster-spec.ts';
import { smallCluster } from './support/small-cluster.ts';

function request(more: Partial<ClusterSpecInput> = {}): SweepRequest {
  const input = smallCluster(more);
  return {
    input,
    plan: planFor(input).plan,
    faults: FAULTS,
    seed: 1,
    rehearsals: 16,
    commandFor: (seed, faults) => `replay ${seed} ${faults.join(' ')}`,
  };
}

const ALONE: Partial<ClusterSpecInput> = {
  machine: { schedulableControlPlanes: true },
  nodes: [{ name: 'only', address: '10.0.0.11', role: 'control-plane' }],
};

describe('a fixed slice', () => {
  it.each([
    ['five nodes', {}],
    ['a single node', ALONE],
  ])('breaks nothing on %s', async (_name, spec) => {
    const sweep = await sweepFaults(request(spec));
    expect(sweep.broken).toEqual([]);
    expect(sweep.outcomes.clean + sweep.outcomes.resumed).toBeGreaterThan(8);
    expect(faultSweep.parse(sweep)).toEqual(sweep);
  });
});

describe('a sweep', () => {
  it('says the same again, byte for byte', async () => {
    const twice = await Promise.all(
      [1, 2].map(() => sweepFaults({ ...request(), rehearsals: 5, seed: 77 })),
    );
    expect(JSON.stringify(twice[1])).toBe(JSON.stringify(twice[0]));
  });

  it('tells what is known when it is stopped', async () => {
    const stopping = new AbortController();
    const sweep = await sweepFaults({
      ...request(),
      onResult: (_result, done) => {
        if (done === 3) stopping.abort();
      },
      signal: stopping.signal,
    });
    expect(sweep).toMatchObject({ planned: 16, rehearsals: 3 });
  });

  it('names a command that comes to the same again', async () => {
    const asked = request();
    const { worst } = await sweepFaults({ ...asked, rehearsals: 8, seed: 40 });
    const nodes = sweepNodesOf(asked.input).map(({ name }) => name);
    const strikes = (worst?.faults ?? []).map((text) => readStrike(text, asked.plan, nodes));
    expect(strikes.length).toBeGreaterThan(0);
    const again = await rehearseCase({ ...asked, seed: worst?.seed ?? 0, strikes }, 0);
    expect(again.outcome).toBe(worst?.outcome);
    expect(again.stoppedAt).toEqual(worst?.stoppedAt);
  });
});

function program(...args: readonly string[]): string {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const scenario = 'scenarios/post-mortem';
  const given = [`${scenario}/cluster.yaml`, '--target', `${scenario}/target.yaml`];
  return execFileSync(
    process.execPath,
    ['dist/regauge.js', 'rehearse', ...given, '--cilium-version', '1.16.5', ...args],
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: bareEnvironment() },
  );
}

function bareEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, ...rest } = process.env;
  return rest;
}

function sweepWith(workers: number): string {
  return program('--faults', '--rehearsals', '4', '--workers', String(workers), '-o', 'json');
}

it('says the same with one thread as with three', () => {
  const one = sweepWith(1);
  expect(sweepWith(3)).toBe(one);
  const sweep: FaultSweep = JSON.parse(one);
  expect(sweep.rehearsals).toBe(4);
  expect(sweep.worst?.command).toContain('--target scenarios/post-mortem/target.yaml');
});
