/** Commands in containers, and what containers print. */
import type { CallOptions } from './kubernetes-calls.ts';

export interface ExecRequest extends CallOptions {
  readonly namespace: string;
  readonly pod: string;
  /** The only one, or the one the pod's annotation names, when absent. */
  readonly container?: string;
  /** No shell is between: the first word is the program. */
  readonly command: readonly string[];
  readonly stdin?: string | Uint8Array;
  /** The command knows how much it reads: it ends also where a server cannot end its input (before 1.30). */
  readonly stdinIsCounted?: boolean;
  /** Gets what the command prints as it comes; `stdout` of the result is then empty. */
  readonly onStdout?: (chunk: Uint8Array) => void;
  /** Bytes that stdout or stderr may hold, 16 MiB when absent; more is `refused`. */
  readonly outputBytesMax?: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LogRequest extends CallOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
  /** Of the container's run before this one. */
  readonly previous?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** Each line begins with its time (RFC 3339). */
  readonly timestamps?: boolean;
  /** Goes on with what is printed later, until the container ends or the signal says so. */
  readonly follow?: boolean;
}

export interface ContainerPort {
  /**
   * Runs a command in a container to its end. An exit code other than 0 is an answer. What ran and
   * never told its end (connection lost, no status) is `unreachable`: nobody knows what it did. What
   * the runtime would not start is `refused`, with the runtime's own words.
   */
  exec(request: ExecRequest): Promise<ExecResult>;
  /** Lines without their ends. A container that has not started yet is `refused`. */
  logs(request: LogRequest): AsyncIterable<string>;
}
