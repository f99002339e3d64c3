import { createPrivateKey, X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Authority, createAuthority, type Identity, type KeyKind } from './certificates.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');

function authorityOf(kind: KeyKind, commonName = 'kubernetes'): Promise<Authority> {
  return createAuthority({ kind, commonName, now: NOW });
}

/** What a server that asks for client certificates makes of a client. */
function handshake(
  server: { readonly authority: Authority; readonly identity: Identity },
  client: { readonly trusts: Authority; readonly identity?: Identity },
  servername: string,
): Promise<{ readonly authorized: boolean; readonly subject: string }> {
  return new Promise((resolve, reject) => {
    const listener = createServer({
      cert: server.identity.certificate,
      key: server.identity.key,
      ca: server.authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    listener.on('secureConnection', (socket: TLSSocket) => {
      const { subject } = socket.getPeerCertificate();
      resolve({
        authorized: socket.authorized,
        subject: JSON.stringify(subject ?? null, ['O', 'CN']),
      });
      socket.destroy();
      listener.close();
    });
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo; // it listens on TCP
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername,
        ca: client.trusts.certificate,
        ...(client.identity === undefined
          ? {}
          : { cert: client.identity.certificate, key: client.identity.key }),
      });
      socket.on('error', (error) => {
        listener.close();
        reject(error);
      });
    });
  });
}

describe.each(['ecdsa-p256', 'ed25519'] as const)('%s certificates', (kind) => {
  it('name loopback and the user with its groups, and fit their keys', async () => {
    const authority = await authorityOf(kind);
    const server = await authority.issueServer(['cluster.test']);
    const client = await authority.issueClient({ commonName: 'admin', organizations: ['a', 'b'] });
    const read = new X509Certificate(server.certificate);
    expect(read.subjectAltName).toContain('DNS:localhost');
    expect(read.subjectAltName).toContain('DNS:cluster.test');
    expect(read.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(read.checkIP('::1')).toBe('::1');
    const who = new X509Certificate(client.certificate);
    expect(who.subject).toBe('O=a\nO=b\nCN=admin');
    expect(who.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(who.checkPrivateKey(createPrivateKey(client.key))).toBe(true);
  });

  it('let a client in that the authority issued, over TLS', async () => {
    const authority = await authorityOf(kind);
    const identity = await authority.issueServer();
    const client = await authority.issueClient({ commonName: 'me', organizations: ['os:admin'] });
    const seen = await handshake(
      { authority, identity },
      { trusts: authority, identity: client },
      'localhost',
    );
    expect(seen).toEqual({ authorized: true, subject: '{"O":"os:admin","CN":"me"}' });
  });

  it('are not taken from another authority of the same name, nor the server by its clients', async () => {
    const authority = await authorityOf(kind);
    const other = await authorityOf(kind);
    const identity = await authority.issueServer();
    const stranger = await other.issueClient({ commonName: 'me' });
    const seen = await handshake(
      { authority, identity },
      { trusts: authority, identity: stranger },
      'localhost',
    );
    expect(seen.authorized).toBe(false);
    await expect(
      handshake({ authority, identity }, { trusts: other }, 'localhost'),
    ).rejects.toThrow(/certificate/);
  });
});
