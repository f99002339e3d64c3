/** What stands beside the nodes in a status: counted by what is there, null where nobody may look. */
import { expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import { surroundings } from './surroundings.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

function reads(objects: Readonly<Record<string, readonly object[] | 'forbidden'>>) {
  const list = (async (_version: string, kind: string) => {
    const found = objects[kind] ?? [];
    if (found === 'forbidden') throw new RegaugeError('forbidden', `may not list ${kind}`);
    return found as readonly KubeObject[];
  }) as KubernetesReads['list'];
  return { list };
}

function warning(reason: string, lastTimestamp: string, count: number, name: string): object {
  const involvedObject = { kind: 'Pod', namespace: 'a', name };
  return {
    metadata: { name },
    reason,
    lastTimestamp,
    count,
    message: `${reason} of ${name}`,
    involvedObject,
  };
}

function attachment(name: string, attached: boolean, message?: string): object {
  return {
    metadata: { name },
    spec: {
      attacher: 'driver.longhorn.io',
      nodeName: 'n1',
      source: { persistentVolumeName: name },
    },
    status: { attached, ...(message === undefined ? {} : { attachError: { message } }) },
  };
}

function longhorn(name: string, state: string, robustness: string): object {
  return { metadata: { name }, status: { state, robustness } };
}

it('counts warnings by their reason, the newest first, and leaves out what has passed', async () => {
  const Event = [
    warning('FailedMount', '2026-11-23T11:50:00Z', 2, 'x'),
    warning('FailedCreatePodSandBox', '2026-11-23T11:58:00Z', 3, 'y'),
    warning('FailedMount', '2026-11-23T11:59:00Z', 1, 'z'),
    warning('BackOff', '2026-11-23T11:30:00Z', 9, 'old'),
  ];
  const { events } = await surroundings(reads({ Event }), NOW);
  expect(events?.map(({ reason, count, subject }) => [reason, count, subject])).toEqual([
    ['FailedMount', 3, 'Pod a/z'],
    ['FailedCreatePodSandBox', 3, 'Pod a/y'],
  ]);
});

it('tells volumes that wait and those in use that are not healthy', async () => {
  const { volumes } = await surroundings(
    reads({
      VolumeAttachment: [attachment('a', true), attachment('b', false, 'node is gone')],
      Volume: [
        longhorn('a', 'attached', 'degraded'),
        longhorn('c', 'attached', 'healthy'),
        longhorn('d', 'detached', 'unknown'),
      ],
    }),
    NOW,
  );
  expect(volumes).toEqual({
    attached: 1,
    waiting: [{ name: 'b', node: 'n1', message: 'node is gone' }],
    unhealthy: [{ name: 'a', robustness: 'degraded' }],
  });
});

it('says null of what may not be read, and the rest', async () => {
  const found = await surroundings(
    reads({ Event: 'forbidden', VolumeAttachment: 'forbidden' }),
    NOW,
  );
  expect(found).toEqual({ probes: { agents: 0, ready: 0 }, volumes: null, events: null });
});
