/**
 * The proxy that the environment asks for, as Go's clients (and so kubectl) read it: HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY (golang.org/x/net/http/httpproxy). This machine is never behind one.
 */
import { contains, parseAddress, parseCidr } from '../../base/cidr.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function environmentProxy(url: URL, environment: Environment): string | undefined {
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = valueOf(environment, variable);
  if (proxy === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isLoopback(host)) return undefined;
  const excluded = (valueOf(environment, 'NO_PROXY') ?? '').split(',');
  const port = url.port === '' ? defaultPort(url) : url.port;
  if (excluded.some((entry) => excludes(entry.trim().toLowerCase(), host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function excludes(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const range = parseCidr(entry);
  const address = parseAddress(host);
  if (range !== undefined && entry.includes('/')) {
    return address !== undefined && contains(range, address);
  }
  const withPort = /^(.*):(\d+)$/.exec(entry);
  if (withPort !== null && !entry.includes('::')) {
    return withPort[2] === port && excludes(withPort[1] ?? '', host, port);
  }
  if (entry.startsWith('.')) return host.endsWith(entry);
  const suffix = entry.replace(/^\*/, '');
  if (suffix !== entry) return host.endsWith(suffix);
  return host === entry || host.endsWith(`.${entry}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function defaultPort(url: URL): string {
  return url.protocol === 'https:' ? '443' : '80';
}

function valueOf(environment: Environment, name: string): string | undefined {
  const value = environment[name] ?? environment[name.toLowerCase()];
  return value === undefined || value === '' ? undefined : value;
}
