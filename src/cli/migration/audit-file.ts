/**
 * The audit log as a file of this machine: one JSON entry a line, appended, for its owner alone. An
 * intent is on the disk before the change is sent. Entries that come while the disk is busy go
 * together with the next write.
 */
import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RegaugeError } from '../../base/errors.ts';
import { redactData } from '../../base/redaction.ts';
import type { AuditEntry, AuditSink } from '../../engine/run/audit-log.ts';

const OWNER_ONLY = 0o600;

export interface AuditFile extends AuditSink {
  readonly path: string;
  close(): Promise<void>;
}

/** `kept` hears of each line when the file has it; the text is what the file has. */
export async function openAuditFile(
  path: string,
  wallTime: () => number,
  kept: (line: string) => void = () => undefined,
): Promise<AuditFile> {
  const file = await opened(path);
  let lines: string[] = [];
  let mustSync = false;
  let writing: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    // Whoever comes in the same moment goes along.
    await Promise.resolve();
    const written = lines;
    const sync = mustSync;
    lines = [];
    mustSync = false;
    await file.appendFile(written.join(''));
    if (sync) await file.datasync();
    for (const line of written) kept(line);
  };
  const append = async (entry: AuditEntry, isUrgent: boolean): Promise<void> => {
    lines.push(auditLine(entry, wallTime()));
    mustSync ||= isUrgent;
    // The write that is under way does not have it: the one after it does.
    const mine = (writing ?? Promise.resolve()).catch(() => undefined).then(() => next());
    await mine;
  };
  const next = (): Promise<void> => {
    if (lines.length === 0) return writing ?? Promise.resolve();
    writing ??= flush().finally(() => (writing = undefined));
    return writing;
  };
  return {
    path,
    append: (entry, isUrgent) =>
      append(entry, isUrgent).catch((error: unknown) => {
        throw notWritten(path, error);
      }),
    close: async () => {
      await next().catch(() => undefined);
      await file.close();
    },
  };
}

/** What others said of a failure may hold what is not for a log. */
export function auditLine(entry: object, at: number): string {
  return `${JSON.stringify(redactData({ at: new Date(at).toISOString(), ...entry }))}\n`;
}

async function opened(path: string): Promise<FileHandle> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, 'a', OWNER_ONLY);
    await file.chmod(OWNER_ONLY);
    return file;
  } catch (error) {
    throw notWritten(path, error);
  }
}

function notWritten(path: string, error: unknown): RegaugeError {
  const why = error instanceof Error ? error.message : String(error);
  return new RegaugeError('refused', `the audit log ${path} cannot be written: ${why}`, {
    hint: 'Nothing is changed that is not written down first. Name another file with --audit-log.',
    cause: error,
  });
}
