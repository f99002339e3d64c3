/** What a command is handed besides its flags: streams, terminal and environment; all injected. */
import type { CommandContext } from '@stricli/core';
import type { KeySource } from './migration/keyboard.ts';

export interface CliContext extends CommandContext {
  readonly process: CliProcess;
}

export interface CliProcess {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: AsyncIterable<Uint8Array> & KeySource;
  readonly env: Readonly<Partial<Record<string, string>>>;
  exitCode?: number | string | null;
  /** The file that was started: a thread that shall run a command runs it again. */
  readonly entry?: string | undefined;
  /** Told when a command's code is loaded, before it runs. */
  onLoaded?(): void;
  /** Told that the command will run for minutes. */
  onLongRun?(): void;
}

export interface OutputStream {
  write(text: string): void;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Exit statuses of the contract. */
export const EXIT = {
  clean: 0,
  findings: 1,
  badInput: 2,
  unreachable: 3,
  interrupted: 130,
} as const;

/** Colour is for terminals, unless NO_COLOR or FORCE_COLOR says otherwise (https://no-color.org). */
export function wantsColour(context: CliContext): boolean {
  const { env, stdout } = context.process;
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true;
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}

/** Width to wrap at: the terminal's, at most 100; 80 in a pipe. */
export function textWidth(context: CliContext): number {
  return Math.min(context.process.stdout.columns ?? 80, 100);
}
