/** Drift in words: which fact, what it was and is, and what a run that goes on does not mind. */
import { describe, expect, it } from 'vitest';
import { node } from '../hazards/testing-objects.ts';
import { factsFrom, type FactsLiteral } from '../hazards/testing.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { driftFrom, driftUnderWay, nodesJoined, nodesLeft } from './drift.ts';
import { literal, nodes, planned } from './testing.ts';

function factsWith(more: Partial<FactsLiteral> = {}) {
  return factsFrom(literal(more));
}

/** Another InternalIP of the first worker. */
function readdressed(): readonly KubeObject[] {
  return nodes(3, 4).map((object) =>
    object.metadata.name === 'wrk-003' ? node('wrk-003', { ip: '10.0.1.99' }) : object,
  );
}

const JOINED = [...nodes(3, 4), node('wrk-007', { ip: '10.0.1.50' })];

describe('drift', () => {
  it('is nothing on the cluster the plan was made for, in whatever order it is read', () => {
    const plan = planned();
    expect(driftFrom(plan, factsWith())).toEqual([]);
    expect(driftFrom(plan, factsWith({ objects: nodes(3, 4).toReversed() }))).toEqual([]);
    expect(driftUnderWay(plan, factsWith())).toEqual([]);
  });

  it('names an address that changed, with the old and the new one', () => {
    const [drift] = driftFrom(planned(), factsWith({ objects: readdressed() }));
    expect(drift).toEqual({ fact: 'nodes', message: 'wrk-003 had 10.0.1.4 and has 10.0.1.99' });
  });

  it('names nodes that joined and nodes that are gone', () => {
    const plan = planned();
    expect(driftFrom(plan, factsWith({ objects: JOINED }))[0]?.message).toBe('joined: wrk-007');
    const fewer = driftFrom(plan, factsWith({ objects: nodes(3, 3) }));
    expect(fewer.find(({ fact }) => fact === 'nodes')?.message).toBe('gone: wrk-006');
  });

  it('does not hold a run up that is under way for a node that joined, and knows of it', () => {
    const plan = planned();
    expect(driftUnderWay(plan, factsWith({ objects: JOINED }))).toEqual([]);
    expect(nodesJoined(plan, factsWith({ objects: JOINED }))).toEqual(['wrk-007']);
  });

  it('holds it up for an address that changed, also where another node is gone, which is no reason', () => {
    const plan = planned();
    const facts = (objects: readonly KubeObject[]) =>
      driftUnderWay(plan, factsWith({ objects })).map(({ fact }) => fact);
    expect(facts(readdressed())).toEqual(['nodes']);
    expect(facts(nodes(3, 3))).toEqual([]);
    expect(facts(readdressed().slice(0, -1))).toEqual(['nodes']);
    expect(nodesLeft(plan, factsWith({ objects: nodes(3, 3) }))).toEqual(['wrk-006']);
  });

  it('does not mind what its own steps change: Flannel and kube-proxy are gone', () => {
    const later = factsWith({ sourceCni: 'cilium', kubeProxy: { present: false } });
    expect(driftUnderWay(planned(), later)).toEqual([]);
    expect(driftFrom(planned(), later).length).toBeGreaterThan(0);
  });

  it('tells another cluster by its uid, before anything else', () => {
    const plan = { ...planned(), cluster: { uid: 'one', name: 'lab' } };
    const facts = factsWith();
    const other = {
      ...facts,
      cluster: { ...facts.cluster, uid: { known: true as const, value: 'two', source: {} } },
    };
    expect(driftFrom(plan, other)).toEqual([
      { fact: 'cluster', message: 'the plan is for cluster lab (one), and this is two' },
    ]);
    expect(driftUnderWay(plan, other)).toHaveLength(1);
  });

  it('does not take a plan made without machine configs for one of another state', () => {
    const plan = planned({ machineConfigs: [] });
    const drift = driftFrom(plan, factsWith()).map(({ fact }) => fact);
    expect(drift).not.toContain('machine-configs');
  });
});
