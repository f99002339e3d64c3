/**
 * Exec over WebSocket (`v5.channel.k8s.io`, `v4.channel.k8s.io`): a channel byte before each message;
 * 0 stdin, 1 stdout, 2 stderr, 3 the status at the end, 255 a channel that the client closes (KK
 * staging/src/k8s.io/streaming/pkg/httpstream/wsstream). What runs is what the twin can answer.
 */
import type { WebSocket } from 'ws';
import { RegaugeError } from '../../../base/errors.ts';
import type { ExecResult } from '../../../ports/index.ts';
import { inputOf } from '../../ports/containers/exec-programs.ts';
import { execInPod } from '../../ports/containers/kubernetes-containers.ts';
import type { World } from '../../world.ts';
import type { StatusBody } from './api-error.ts';

export const EXEC_PROTOCOLS: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const CLOSE = 255;

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
  readonly command: readonly string[];
  readonly stdin: boolean;
}

export function execTarget(namespace: string, pod: string, query: URLSearchParams): ExecTarget {
  const container = query.get('container');
  return {
    namespace,
    pod,
    container: container === null || container === '' ? undefined : container,
    command: query.getAll('command'),
    stdin: query.get('stdin') === 'true' || query.get('stdin') === '1',
  };
}

/** Runs the command once its input is there, and says how it ended. */
export function serveExec(world: World, socket: WebSocket, target: ExecTarget): void {
  const input: Buffer[] = [];
  /** A command may know how much it reads; then it needs no end of its input. */
  let missing = target.stdin ? inputOf(target.command) : 0;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    answer(world, socket, target, Buffer.concat(input));
  };
  if (missing === 0) finish();
  socket.on('message', (data) => {
    const bytes = Buffer.isBuffer(data)
      ? data
      : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const [channel, first] = bytes;
    if (channel === STDIN) {
      input.push(bytes.subarray(1));
      missing -= bytes.length - 1;
      // Before v5 an empty message is all there is to say that the input ended.
      if (bytes.length === 1 || missing <= 0) finish();
    } else if (channel === CLOSE && first === STDIN) finish();
  });
}

function answer(world: World, socket: WebSocket, target: ExecTarget, stdin: Buffer): void {
  const { namespace, pod, container, command } = target;
  let status: Pick<StatusBody, 'status'> & Partial<StatusBody>;
  try {
    const result = execInPod(world, {
      namespace,
      pod,
      command,
      stdin,
      ...(container === undefined ? {} : { container }),
    });
    send(socket, STDOUT, result.stdout);
    send(socket, STDERR, result.stderr);
    status = statusOf(result);
  } catch (error) {
    if (!(error instanceof RegaugeError)) throw error;
    const { message } = error;
    const code = 500;
    status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code };
  }
  send(socket, STATUS, JSON.stringify(status));
  socket.close(1000);
}

function statusOf({ exitCode }: ExecResult): Pick<StatusBody, 'status'> & Partial<StatusBody> {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
    code: 500,
  };
}

function send(socket: WebSocket, channel: number, text: string): void {
  if (text !== '') socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
}
