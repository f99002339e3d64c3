/**
 * Sockets as libuv has them, without the streams and events of node:net and node:dgram: an agent wakes
 * ten times a second with cold caches, and then each function that is not run counts more than each
 * system call (docs/decisions/0010). What is read and written goes through their descriptors.
 *
 * `process.binding` is an old door that Node keeps open for these (DEP0111); the image is pinned, and
 * an agent on a Node that has closed it says so and ends.
 */
import { readSync, writeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';

interface Closable {
  /** -1 before it is bound or connects. */
  readonly fd: number;
  close(): void;
}

/** All calls that return a number return 0, or a negative error. */
export interface TcpHandle extends Closable {
  onconnection: ((status: number, client: TcpHandle | undefined) => void) | null;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  listen(backlog: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  setNoDelay(on: boolean): number;
  getpeername(out: { address?: string }): number;
  /** Closes with a reset, so that nothing is left in TIME_WAIT. */
  reset(): number;
}

interface ConnectRequest {
  oncomplete: ((status: number) => void) | null;
}

export interface UdpHandle extends Closable {
  onmessage:
    | ((
        length: number,
        handle: UdpHandle,
        bytes: Buffer | undefined,
        from: { readonly address: string; readonly port: number },
      ) => void)
    | null;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(address: string, port: number): number;
  connect6(address: string, port: number): number;
  recvStart(): number;
  /** Positive when the kernel took it at once, 0 when libuv keeps it for later. */
  send(...args: SendArguments): number;
  send6(...args: SendArguments): number;
}

type SendArguments = [
  request: object,
  list: readonly Uint8Array[],
  count: number,
  port: number,
  address: string,
  tells: boolean,
];

interface TcpBinding {
  readonly TCP: new (type: number) => TcpHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number; readonly SERVER: number };
}

interface UdpBinding {
  readonly UDP: new () => UdpHandle;
  readonly SendWrap: new () => object;
}

const tcp = bindingOf('tcp_wrap') as TcpBinding; // shapes of Node's own modules, untyped
const udp = bindingOf('udp_wrap') as UdpBinding;

function bindingOf(name: string): unknown {
  const binding: unknown = Reflect.get(process, 'binding');
  if (typeof binding !== 'function')
    throw new Error(`Node ${process.version} has no process.binding`);
  return Reflect.apply(binding, process, [name]);
}

export function listen(
  address: string,
  port: number,
  accepted: (client: TcpHandle) => void,
): TcpHandle {
  const handle = new tcp.TCP(tcp.constants.SERVER);
  const bound = isIpv6(address) ? handle.bind6(address, port, 0) : handle.bind(address, port);
  handle.onconnection = (_status, client) => {
    if (client !== undefined) accepted(client);
  };
  assertWorked(bound, `TCP port ${port}`);
  assertWorked(handle.listen(BACKLOG), `TCP port ${port}`);
  return handle;
}

/** Of one tick, at the most. */
const BACKLOG = 256;

/** `connected` gets 0 or an error, once, in a turn of the event loop. */
export function connect(
  address: string,
  port: number,
  connected: (status: number) => void,
): TcpHandle {
  const handle = new tcp.TCP(tcp.constants.SOCKET);
  const request = new tcp.TCPConnectWrap();
  request.oncomplete = connected;
  const status = isIpv6(address)
    ? handle.connect6(request, address, port)
    : handle.connect(request, address, port);
  if (status === 0) handle.setNoDelay(true);
  else setImmediate(connected, status);
  return handle;
}

export function bindUdp(address: string, port: number): UdpHandle {
  const handle = new udp.UDP();
  const bound = isIpv6(address) ? handle.bind6(address, port, 0) : handle.bind(address, port, 0);
  assertWorked(bound, `UDP port ${port}`);
  return handle;
}

/** From a port of the kernel's choice, and the address given; undefined where there is no route. */
export function connectUdp(address: string, port: number, from?: string): UdpHandle | undefined {
  const handle = from === undefined ? new udp.UDP() : bindUdp(from, 0);
  const status = isIpv6(address) ? handle.connect6(address, port) : handle.connect(address, port);
  if (status >= 0) return handle;
  handle.close();
  return undefined;
}

/** In turns of the event loop, one call for each datagram. */
export function receiveFrom(
  handle: UdpHandle,
  received: (
    length: number,
    bytes: Buffer | undefined,
    from: { readonly address: string; readonly port: number },
  ) => void,
): void {
  const onmessage: UdpHandle['onmessage'] = (length, _handle, bytes, from) =>
    received(length, bytes, from);
  Object.assign(handle, { onmessage });
  handle.recvStart();
}

let request = new udp.SendWrap();

/** What the kernel does not take now is lost, as what a network does not take. */
export function sendTo(handle: UdpHandle, bytes: Uint8Array, port: number, address: string): void {
  const isLater = isIpv6(address)
    ? handle.send6(request, [bytes], 1, port, address, false) === 0
    : handle.send(request, [bytes], 1, port, address, false) === 0;
  if (isLater) request = new udp.SendWrap();
}

/** Bytes read; 0 at the end; -1 where nothing has come; else throws (`codeOf`). */
export function readNow(fd: number, into: Uint8Array): number {
  try {
    return readSync(fd, into, 0, into.length, null);
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return -1;
    throw error;
  }
}

/** The error's code, or an empty text when all went. A buffer that is full takes nothing. */
export function writeNow(fd: number, bytes: Uint8Array, length = bytes.length): string {
  try {
    writeSync(fd, bytes, 0, length, null);
    return '';
  } catch (error) {
    return codeOf(error);
  }
}

export function codeOf(error: unknown): string {
  // What node:fs throws has a code.
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

export function nameOf(status: number): string {
  return getSystemErrorName(status);
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

function assertWorked(status: number, what: string): void {
  if (status !== 0) throw new Error(`${what}: ${nameOf(status)}`);
}
