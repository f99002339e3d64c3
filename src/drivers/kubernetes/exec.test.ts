/**
 * Commands against a server that ends them in every wrong way: one without an end is a failure, and
 * input has an end, or a length that the command knows.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure-of.ts';
import { WebSocketServer, type WebSocket } from 'ws';
import { QuickTimers, sendJson, statusBody } from '../../../test/support/fake-api-server.ts';
import { fakeKubernetes } from '../../../test/support/fake-kubernetes.ts';
import type { OpenOptions } from './open.ts';

const cluster = fakeKubernetes();

function send(socket: WebSocket, channel: number, text: string): void {
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
}

type Play = (socket: WebSocket, request: IncomingMessage) => void;

/** As a kubelet sends it: without a kind. */
const SUCCESS = JSON.stringify({ metadata: {}, status: 'Success' });

/** As `dd bs=5 count=1`: ends by itself, and is told of no end. */
function copyFive(socket: WebSocket): void {
  let input = '';
  socket.on('message', (data: Buffer) => {
    if (data[0] !== 0) throw new Error('an older server knows no such channel');
    input += data.subarray(1).toString();
    if (input.length < 5) return;
    send(socket, 2, `${input.length} bytes copied`);
    send(socket, 3, SUCCESS);
  });
}

function shout(socket: WebSocket): void {
  let input = '';
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) input += data.subarray(1).toString();
    if (data[0] !== 255) return;
    send(socket, 1, input.toUpperCase());
    send(socket, 3, SUCCESS);
  });
}

async function playing(play: Play, options: OpenOptions = {}, protocol = 'v5.channel.k8s.io') {
  const { server, port, onEnd } = await cluster(
    (_request, answer) => sendJson(answer, {}, 404),
    options,
  );
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => protocol });
  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (opened) => play(opened, request));
  });
  onEnd(() => {
    for (const client of sockets.clients) client.terminate();
  });
  return port;
}

describe('commands', () => {
  const request = { namespace: 'a', pod: 'p', container: 'c', command: ['cat', '/x y'] };
  it('gives what a command printed, and how it ended', async () => {
    let asked = '';
    const port = await playing((socket, { url = '' }) => {
      asked = url;
      send(socket, 1, 'out ');
      send(socket, 2, 'err');
      send(socket, 1, 'put');
      const causes = [{ reason: 'ExitCode', message: '3' }];
      const details = { causes };
      send(socket, 3, JSON.stringify(statusBody(500, 'NonZeroExitCode', 'exit code 3', details)));
    });
    expect(await port.exec(request)).toEqual({ exitCode: 3, stdout: 'out put', stderr: 'err' });
    expect(asked).toContain('/api/v1/namespaces/a/pods/p/exec?command=cat&command=%2Fx+y');
  });

  it('gives input and its end where the server can be told of it', async () => {
    const port = await playing(shout);
    const answer = await port.exec({ ...request, stdin: 'hello' });
    expect(answer).toEqual({ exitCode: 0, stdout: 'HELLO', stderr: '' });
    const old = await playing(shout, {}, 'v4.channel.k8s.io');
    expect(await failureOf(old.exec({ ...request, stdin: 'x' }))).toMatchObject({
      code: 'refused',
    });
    const counted = await playing(copyFive, {}, 'v4.channel.k8s.io');
    const copied = counted.exec({ ...request, stdin: 'hello', stdinIsCounted: true });
    expect(await copied).toMatchObject({ exitCode: 0, stderr: '5 bytes copied' });
  });

  it('does not take a connection that closes for a command that ended', async () => {
    const port = await playing((socket) => {
      send(socket, 1, 'half of it');
      socket.close();
    });
    const error = await failureOf(port.exec(request));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('before the server had said how the command ended');
    const cut = await playing((socket) => socket.terminate());
    expect(await failureOf(cut.exec(request))).toMatchObject({ code: 'unreachable' });
  });

  it('never hangs: neither on silence nor beyond its deadline', async () => {
    const silent = await playing((socket) => socket.pause(), { timers: new QuickTimers([15_000]) });
    const error = await failureOf(silent.exec(request));
    expect(error.message).toContain('the connection went silent');
    const slow = await playing(() => undefined, { timers: new QuickTimers([1_234]) });
    const late = await failureOf(slow.exec({ ...request, deadlineMs: 1_234 }));
    expect(late).toMatchObject({ code: 'timeout' });
  });

  it('gives the words of the runtime for what it would not start', async () => {
    const message = 'exec: "bash": executable file not found in $PATH: unknown';
    const port = await playing((socket) =>
      send(socket, 3, JSON.stringify(statusBody(500, 'InternalError', message))),
    );
    expect(await failureOf(port.exec(request))).toMatchObject({ code: 'refused', message });
  });

  it('is refused as any request is', async () => {
    const { port, server } = await cluster(() => undefined);
    server.server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
      const body = JSON.stringify(statusBody(403, 'Forbidden', 'cannot create pods/exec'));
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const error = await failureOf(port.exec(request));
    expect(error).toMatchObject({ code: 'forbidden', message: 'cannot create pods/exec' });
  });
});
