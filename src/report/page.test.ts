/** Goal: the page is self-contained, hostile input stays text, and every drawing has its words. */
import { describe, expect, it } from 'vitest';
import type { Rehearsal } from '../model/rehearsal.ts';
import { reportPage } from './page.ts';

const STUCK: Rehearsal = {
  apiVersion: 'regauge.dev/v1',
  kind: 'Rehearsal',
  name: 'a runbook',
  outcome: 'stuck',
  seed: 7,
  summary: {
    nodes: 2,
    pods: 10,
    podsRestarted: 3,
    maxRestartsPerPod: 2,
    podsStuck: 4,
    podOutageSeconds: { total: 100, p50: 10, p99: 90, max: 90 },
    dnsOutageSeconds: 12,
    apiUnauthorized: 0,
    volumesStuck: 1,
    policyGapSeconds: 0,
    longestPathGapMs: 1500,
    makespanSeconds: 3661,
  },
  failures: [
    {
      subject: { kind: 'Pod', namespace: 'shop', name: 'web', node: 'n1' },
      symptom: 'FailedCreatePodSandBox',
      message: 'open /run/flannel/subnet.env: <no such file>',
      at: 10,
      rootCauses: ['flannel.not-running@n1'],
      because: ['flannel.not-running@n1'],
    },
  ],
  causes: [
    {
      id: 'flannel.not-running@n1',
      covers: ['FM-03'],
      title: 'flanneld does not run',
      node: 'n1',
      because: [],
      evidence: [],
    },
  ],
  timeline: [{ at: 3, node: 'n1', event: 'rebooted' }],
  invariants: [
    { name: 'one conf', held: false, firstViolation: { at: 4, message: 'two confs on n1' } },
  ],
  assumptions: [
    {
      about: 'machine configs',
      assumed: 'defaults',
      because: 'none given',
      command: 'talosctl get machineconfig -o yaml',
    },
  ],
  paths: [
    {
      from: { class: 'pod-old', node: 'n1' },
      to: { class: 'pod-old', node: 'n2' },
      protocol: 'udp',
      sent: 100,
      lost: 15,
      longestGapMs: 1500,
      sourceSeen: null,
      gaps: [[3, 4.5]],
    },
  ],
  failedSteps: [],
  nodeHistories: [
    {
      node: 'n1',
      spans: [
        {
          from: 0,
          to: 3661,
          state: 'ready',
          pods: { old: 5, new: 0, stuck: 4 },
          unschedulable: false,
        },
      ],
    },
  ],
};

function page(rehearsal: Rehearsal): string {
  return reportPage({ title: 't', subtitle: 's', runs: [{ label: 'As it was done', rehearsal }] });
}

describe('reportPage', () => {
  it('loads nothing from anywhere and forbids it to itself', () => {
    const text = page(STUCK);
    expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(text).not.toMatch(/<(script|img|iframe|link|object)\b|@import|url\(/);
  });

  it('shows hostile text as text', () => {
    const hostile = '<script>alert("1")</script>';
    const text = page({
      ...STUCK,
      name: hostile,
      failures: STUCK.failures.map((failure) => ({ ...failure, message: hostile })),
    });
    expect(text).not.toContain(hostile);
    expect(text).toContain('&lt;script&gt;');
  });

  it('says in words what each drawing shows', () => {
    const text = page(STUCK);
    expect(text.match(/<svg[^>]*role="img"[^>]*aria-label=/g)).toHaveLength(2);
    expect(text).toContain('4 pods cannot start');
    expect(text).toContain('flanneld does not run');
    expect(text).toContain('5 pods on the old network, 0 on the new, 4 stuck');
    expect(text).toContain('1.5 s');
    expect(text).toContain('talosctl get machineconfig -o yaml');
  });

  it('is the same page for the same rehearsal', () => {
    expect(page(STUCK)).toBe(page(structuredClone(STUCK)));
  });

  it('draws no graph when nothing failed', () => {
    const text = page({ ...STUCK, outcome: 'clean', failures: [], causes: [] });
    expect(text).toContain('Nothing failed');
    expect(text).not.toContain('class="graph"');
  });
});
