/** What agents connect to: bytes come back as they are, and a GET gets 4 KiB and who asked. */
import { createServer, type Server, type Socket } from 'node:net';

/** Three segments of full size on any usual link. */
const BODY_BYTES = 4_096;

export function createEchoServer(node: string, failed: (error: Error) => void): Server {
  const server = createServer({ noDelay: true }, (socket) => serve(socket, node));
  server.on('error', failed);
  return server;
}

function serve(socket: Socket, node: string): void {
  let isFirst = true;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const isRequest = isFirst && chunk[0] === GET_FIRST_BYTE;
    isFirst = false;
    if (isRequest) socket.end(answer(`${socket.remoteAddress ?? ''} ${node}\n`));
    else socket.write(chunk);
  });
}

const GET_FIRST_BYTE = 'G'.charCodeAt(0);

function answer(who: string): string {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY_BYTES}\r\nConnection: close\r\n\r\n`;
  return head + who + '.'.repeat(BODY_BYTES - who.length);
}
