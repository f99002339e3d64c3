import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditLog } from '../../engine/run/audit-log.ts';
import { openAuditFile } from './audit-file.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'regauge-audit-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const CALL = { call: 'kubernetes.patch', subject: 'Node a', token: 1 } as const;

function linesOf(path: string): readonly Record<string, unknown>[] {
  const text = readFileSync(path, 'utf8').trim();
  return text === ''
    ? []
    : text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the audit log of this machine', () => {
  it('has an intent on disk by the time it is told that it is', async () => {
    const file = await openAuditFile(join(directory, 'a', 'audit.ndjson'), () => 0);
    const log = auditLog(file);
    const outcome = await log.intent(CALL);
    expect(linesOf(file.path)).toEqual([
      { at: '1970-01-01T00:00:00.000Z', type: 'intent', n: 1, ...CALL },
    ]);
    outcome('done');
    await file.close();
    expect(linesOf(file.path)).toHaveLength(2);
  });

  it('keeps many that come at once, each before its caller goes on, in their order', async () => {
    const file = await openAuditFile(join(directory, 'audit.ndjson'), () => 0);
    const log = auditLog(file);
    const all = Array.from({ length: 50 }, async () => {
      const outcome = await log.intent(CALL);
      outcome('done');
    });
    await Promise.all(all);
    await file.close();
    const lines = linesOf(file.path);
    expect(lines).toHaveLength(100);
    const intents = lines.filter(({ type }) => type === 'intent').map(({ n }) => n);
    expect(intents).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('is for its owner alone, also when it was not, and goes on where it ended', async () => {
    const path = join(directory, 'audit.ndjson');
    for (const subject of ['Node a', 'Node b']) {
      const file = await openAuditFile(path, () => 0);
      await auditLog(file).intent({ ...CALL, subject });
      await file.close();
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(linesOf(path)).toHaveLength(2);
  });

  it('tells others of a line when the file has it, and of nothing secret', async () => {
    const path = join(directory, 'audit.ndjson');
    const told: string[] = [];
    const file = await openAuditFile(
      path,
      () => 0,
      (line) => {
        expect(readFileSync(path, 'utf8')).toContain(line);
        told.push(line);
      },
    );
    const outcome = await auditLog(file).intent(CALL);
    outcome('failed', 'cannot log in with password: hunter22 at https://me:pw@example.org');
    await file.close();
    expect(told.join('')).toBe(readFileSync(path, 'utf8'));
    expect(told).toHaveLength(2);
    expect(told.join('')).not.toMatch(/hunter22|me:pw/);
  });

  it('says which file cannot be written', async () => {
    await expect(openAuditFile(directory, () => 0)).rejects.toMatchObject({ code: 'refused' });
  });
});
