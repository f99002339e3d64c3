/**
 * A snapshot on a real file system while things break: what is not whole has no name that anybody
 * reads, nothing is beside the directory that was named, and a snapshot that did not end says so.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure-of.ts';
import { IDENTIFIED } from '../../../test/support/snapshot-memory.ts';
import { RegaugeError } from '../../base/errors.ts';
import { readFiles } from '../../drivers/files/read-files.ts';
import type { SnapshotRequest } from '../../engine/snapshot/request.ts';
import { takeSnapshot } from '../../engine/snapshot/take-snapshot.ts';
import { readInput } from '../../intake/read-input.ts';
import type { KubernetesReads, RawListPage } from '../../ports/index.ts';
import { earlierSnapshot, snapshotDirectory } from './snapshot-directory.ts';
import { packSnapshot } from './snapshot-tar.ts';

let parent = '';
let directory = '';

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'regauge-snapshot-'));
  directory = join(parent, 'snapshot');
});

afterEach(() => rmSync(parent, { recursive: true }));

type PodPages = () => AsyncGenerator<RawListPage>;

function cluster(pods: PodPages): SnapshotRequest['kubernetes'] {
  return {
    ...IDENTIFIED,
    // Nothing installed the CNI by Helm.
    pages: noPages as KubernetesReads['pages'],
    resources: () => Promise.resolve({ resources: [], unavailable: [] }),
    rawPages: (_version, kind) => (kind === 'Pod' ? pods() : onePage('')),
  };
}

async function* noPages(): AsyncGenerator<never> {}

async function* onePage(items: string): AsyncGenerator<RawListPage> {
  yield { items: Buffer.from(items), resourceVersion: '1' };
}

const POD = JSON.stringify({
  metadata: { name: 'p', namespace: 'a' },
  spec: { containers: [{ name: 'c' }] },
});

function broken(error: Error): PodPages {
  return async function* breaking() {
    yield* onePage(POD);
    throw error;
  };
}

async function take(pods: PodPages) {
  const sink = snapshotDirectory(directory);
  return takeSnapshot({ kubernetes: cluster(pods), sink, takenAt: '2026-11-23T10:00:00Z' });
}

describe('a snapshot in a directory', () => {
  it('holds nothing of a list that broke in its middle, hidden or not, and names it', async () => {
    const refused = new RegaugeError('refused', 'the list was cut off');
    const { complete, notRead } = await take(broken(refused));
    expect(complete).toBe(true);
    expect(notRead).toContainEqual(
      expect.objectContaining({ what: 'pods', why: 'the list was cut off' }),
    );
    expect(readdirSync(directory).filter((name) => name.includes('pods'))).toEqual([]);
  });

  it('is refused as unfinished when the server went away, and can be gone on with', async () => {
    const gone = new RegaugeError('unreachable', 'the connection was reset');
    expect((await failureOf(take(broken(gone)))).code).toBe('unreachable');
    expect(earlierSnapshot(directory)).toMatchObject({ complete: false });
    const { files } = await readFiles([directory]);
    expect(() => readInput(files)).toThrow('the snapshot was interrupted before it was whole');
    await take(() => onePage(POD));
    expect(earlierSnapshot(directory)).toBeUndefined();
    const whole = readInput((await readFiles([directory])).files);
    expect(whole.objects.map(({ object }) => object.metadata.name)).toEqual(['p']);
    expect(readdirSync(parent)).toEqual(['snapshot']);
  });

  it('has no name that anybody reads for what a killed process left', async () => {
    const part = await snapshotDirectory(directory).begin('pods.json');
    await part.write(Buffer.from('{"apiVersion":"v1","kind":"PodList","items":['));
    expect((await readFiles([directory])).files).toEqual([]);
    await part.abandon();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says where it cannot be written', async () => {
    writeFileSync(directory, 'a file');
    const failure = await failureOf(take(() => onePage('')));
    expect(failure.message).toContain(directory);
  });
});

describe('a snapshot as one archive', () => {
  it('leaves the directory, and no part of an archive, when it cannot be written', async () => {
    await take(() => onePage(POD));
    mkdirSync(`${directory}.tar.gz`);
    const failure = await failureOf(packSnapshot(directory));
    expect(failure.code).toBe('refused');
    expect(failure.message).toContain(`${directory}.tar.gz`);
    expect(existsSync(join(directory, 'pods.json'))).toBe(true);
    expect(readdirSync(parent).toSorted()).toEqual(['snapshot', 'snapshot.tar.gz']);
  });

  it('is read as the directory was', async () => {
    await take(() => onePage(POD));
    const { files } = await readFiles([await packSnapshot(directory)]);
    expect(existsSync(directory)).toBe(false);
    expect(readInput(files).objects).toHaveLength(1);
  });
});
