import { describe, expect, it } from 'vitest';
import { jsonPath } from './custom.ts';
import { podPrinter } from './pods.ts';
import { humanDuration } from './table.ts';

const NOW = Date.parse('2026-01-02T00:00:00Z');

function pod(status: object, more: { readonly spec?: object; readonly metadata?: object } = {}) {
  const metadata = { name: 'p', creationTimestamp: '2026-01-01T23:55:00Z', ...more.metadata };
  return { metadata, spec: { containers: [{ name: 'c' }, { name: 'd' }], ...more.spec }, status };
}

function shown(object: object): readonly unknown[] {
  return podPrinter.cells({ ...object }, NOW).slice(0, 5);
}

const running = { state: { running: {} }, ready: true, restartCount: 0 };

describe('the table of pods', () => {
  it.each([
    [
      'running, one of two ready',
      pod({ phase: 'Running', containerStatuses: [running, { ...running, ready: false }] }),
      ['p', '1/2', 'Running', '0', '5m'],
    ],
    [
      'a container that crashes',
      pod({
        phase: 'Running',
        containerStatuses: [
          { state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 4 },
          running,
        ],
      }),
      ['p', '1/2', 'CrashLoopBackOff', '4', '5m'],
    ],
    [
      'an init container that runs',
      pod(
        { phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { running: {} } }] },
        { spec: { initContainers: [{ name: 'i' }, { name: 'j' }] } },
      ),
      ['p', '0/2', 'Init:0/2', '0', '5m'],
    ],
    [
      'an init container that failed',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', state: { terminated: { exitCode: 1, reason: 'Error' } }, restartCount: 2 },
          ],
        },
        { spec: { initContainers: [{ name: 'i' }] } },
      ),
      ['p', '0/2', 'Init:Error', '2', '5m'],
    ],
    [
      'being deleted',
      pod(
        { phase: 'Running', containerStatuses: [running, running] },
        { metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } },
      ),
      ['p', '2/2', 'Terminating', '0', '5m'],
    ],
    [
      'rejected by its kubelet',
      pod({ phase: 'Failed', reason: 'NodeAffinity' }),
      ['p', '0/2', 'NodeAffinity', '0', '5m'],
    ],
    ['not seen by a kubelet yet', pod({ phase: 'Pending' }), ['p', '0/2', 'Pending', '0', '5m']],
  ])('%s', (_what, object, cells) => {
    expect(shown(object)).toEqual(cells);
  });
});

describe('ages', () => {
  it.each([
    [-5, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [601, '10m'],
    [200, '3m20s'],
    [3 * 3_600 + 60, '3h1m'],
    [47 * 3_600, '47h'],
    [72 * 3_600, '3d'],
    [800 * 86_400, '2y70d'],
  ])('%s seconds are %s', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text);
  });
});

describe('columns of custom resources', () => {
  it('follow fields, indices, all entries and one that is equal', () => {
    const object = {
      status: { conditions: [{ type: 'Ready', status: 'True' }], a: { 'b.c/d': 1 }, list: [1, 2] },
    };
    expect(jsonPath(object, '.status.conditions[?(@.type=="Ready")].status')).toEqual(['True']);
    expect(jsonPath(object, '.status.list[1]')).toEqual([2]);
    expect(jsonPath(object, '.status.list[*]')).toEqual([1, 2]);
    expect(jsonPath(object, ".status.a['b.c/d']")).toEqual([1]);
    expect(jsonPath(object, '.status.none')).toEqual([]);
  });
});
