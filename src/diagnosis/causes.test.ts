/** Goal: a failure's chain ends in a named cause, and a cause has the hazard's name, never the twin's. */
import { describe, expect, it } from 'vitest';
import type { Hazard } from '../model/hazard.ts';
import type { ObservedFailure } from '../model/observed-failure.ts';
import type { Occurrence } from '../model/occurrence.ts';
import type { OccurrenceKind } from '../model/occurrence-kind.ts';
import { nameCauses } from './causes.ts';

function hazard(id: string, covers: string, ...occurrences: OccurrenceKind[]): Hazard {
  return {
    id,
    covers: [covers],
    title: `title of ${id}`,
    severity: 'high',
    holdsFor: '',
    why: '',
    references: [],
    foretell: () => ({ findings: [], missing: [] }),
    signs: { occurrences },
  };
}

function occurrence(
  id: number,
  kind: OccurrenceKind,
  because: number[],
  node?: string,
): Occurrence {
  return {
    id,
    at: id * 1000,
    kind,
    because,
    message: `${kind} happened`,
    ...(node === undefined ? {} : { node }),
  };
}

function failure(because: number[]): ObservedFailure {
  return { subject: { kind: 'Pod', name: 'p' }, symptom: 's', message: 'm', at: 9, because };
}

const HAZARDS = [
  hazard('conf-off', 'FM-01', 'cilium-agent.conf-management-disabled'),
  hazard('state-lost', 'FM-03', 'flannel.not-running', 'talos.runtime-state-lost'),
];

describe('nameCauses', () => {
  it('names the hazard behind a failure through steps that are no sign of any', () => {
    const { failures, causes } = nameCauses(
      [
        occurrence(1, 'cilium-agent.conf-management-disabled', [], 'n1'),
        occurrence(2, 'cni.network-loaded', [1], 'n1'),
        occurrence(3, 'kubelet.sandbox-failed', [2], 'n1'),
      ],
      [failure([3])],
      HAZARDS,
    );
    expect(failures[0]?.rootCauses).toEqual(['cilium-agent.conf-management-disabled@n1']);
    expect(causes).toEqual([
      {
        id: 'cilium-agent.conf-management-disabled@n1',
        covers: ['FM-01'],
        title: 'title of conf-off',
        node: 'n1',
        because: [],
        evidence: [
          {
            source: 'twin, 1.0 s',
            path: 'cilium-agent.conf-management-disabled',
            value: 'cilium-agent.conf-management-disabled happened',
          },
        ],
      },
    ]);
  });

  it('keeps every way up: two conditions that had to meet are two root causes', () => {
    const { failures } = nameCauses(
      [
        occurrence(1, 'cilium-agent.conf-management-disabled', [], 'n1'),
        occurrence(2, 'flannel.not-running', [], 'n1'),
        occurrence(3, 'kubelet.sandbox-failed', [1, 2]),
      ],
      [failure([3])],
      HAZARDS,
    );
    expect(failures[0]?.rootCauses).toEqual([
      'cilium-agent.conf-management-disabled@n1',
      'flannel.not-running@n1',
    ]);
  });

  it('walks on from a cause to what caused it, and calls only the last a root', () => {
    const { failures, causes } = nameCauses(
      [
        occurrence(1, 'talos.runtime-state-lost', [], 'n1'),
        occurrence(2, 'flannel.not-running', [1], 'n1'),
        occurrence(3, 'kubelet.sandbox-failed', [2]),
      ],
      [failure([3])],
      HAZARDS,
    );
    expect(failures[0]?.rootCauses).toEqual(['talos.runtime-state-lost@n1']);
    expect(causes.map(({ id, because }) => [id, because])).toEqual([
      ['flannel.not-running@n1', ['talos.runtime-state-lost@n1']],
      ['talos.runtime-state-lost@n1', []],
    ]);
  });

  it('ends at the hazard, not at the command that set it off, which stands behind it', () => {
    const { failures, causes } = nameCauses(
      [
        occurrence(1, 'client.object-deleted', []),
        occurrence(2, 'flannel.not-running', [1], 'n1'),
        occurrence(3, 'kubelet.sandbox-failed', [2]),
      ],
      [failure([3])],
      HAZARDS,
    );
    expect(failures[0]?.rootCauses).toEqual(['flannel.not-running@n1']);
    expect(causes.map(({ id, because }) => [id, because])).toEqual([
      ['client.object-deleted', []],
      ['flannel.not-running@n1', ['client.object-deleted']],
    ]);
  });

  it('shows a beginning that no hazard knows under its own message, covering nothing', () => {
    const { causes } = nameCauses(
      [occurrence(1, 'helm.release-applied', [])],
      [failure([1])],
      HAZARDS,
    );
    expect(causes[0]).toMatchObject({
      id: 'helm.release-applied',
      covers: [],
      title: 'helm.release-applied happened',
    });
  });

  it('counts the same thing on the same node once, with bounded evidence', () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      occurrence(index + 1, 'cilium-agent.conf-management-disabled', [], 'n1'),
    );
    const { causes } = nameCauses(many, [failure(many.map(({ id }) => id))], HAZARDS);
    expect(causes).toHaveLength(1);
    expect(causes[0]?.evidence).toHaveLength(3);
  });

  it('leaves out causes that no failure leads to', () => {
    const { causes } = nameCauses(
      [
        occurrence(1, 'cilium-agent.conf-management-disabled', []),
        occurrence(2, 'flannel.not-running', []),
      ],
      [failure([2])],
      HAZARDS,
    );
    expect(causes.map(({ id }) => id)).toEqual(['flannel.not-running']);
  });
});
