/**
 * A served twin's own certificates: an authority, server certificates for loopback, and client
 * certificates whose subject says who the client is (CN the user, O its groups; KK
 * staging/src/k8s.io/apiserver/pkg/authentication/request/x509 CommonNameUserConversion). Made
 * anew for each run and trusted by nobody but the files that run writes.
 */
import { webcrypto } from 'node:crypto';
// oxlint-disable-next-line import/no-unassigned-import -- it gives the next import what it looks for
import './reflect-metadata.ts';
import * as x509 from '@peculiar/x509';

/** Kubernetes takes either; Talos issues Ed25519 (truth: talosconfig of `talosctl gen config`). */
export type KeyKind = 'ecdsa-p256' | 'ed25519';

/** A certificate with its key, both PEM; the key as PKCS #8. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

export interface ClientSubject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export interface Authority {
  /** The authority's own certificate, PEM. */
  readonly certificate: string;
  /** For loopback (127.0.0.1, ::1, localhost) and any further names or addresses. */
  issueServer(hosts?: readonly string[]): Promise<Identity>;
  issueClient(subject: ClientSubject): Promise<Identity>;
}

export interface AuthorityOptions {
  readonly kind: KeyKind;
  readonly commonName: string;
  /** The real time now (milliseconds since 1970): certificates are checked by real clients. */
  readonly now: number;
}

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;

const ALGORITHMS = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ed25519: { name: 'Ed25519' },
} as const;

export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const maker = new CertificateMaker(options);
  const keys = await maker.generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...maker.common(),
    name: [{ CN: [options.commonName] }],
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: certificate.toString('pem'),
    issueServer: (hosts = []) =>
      maker.issue(certificate, keys.privateKey, {
        subject: { commonName: 'kube-apiserver' },
        usage: x509.ExtendedKeyUsage.serverAuth,
        hosts: [...new Set([...LOOPBACK_HOSTS, ...hosts])],
      }),
    issueClient: (subject) =>
      maker.issue(certificate, keys.privateKey, {
        subject,
        usage: x509.ExtendedKeyUsage.clientAuth,
        hosts: [],
      }),
  };
}

interface IssueRequest {
  readonly subject: ClientSubject;
  readonly usage: x509.ExtendedKeyUsage;
  readonly hosts: readonly string[];
}

class CertificateMaker {
  private readonly options: AuthorityOptions;

  constructor(options: AuthorityOptions) {
    this.options = options;
  }

  /** Begins a day ago, for clients whose clock is behind. */
  common(): {
    readonly serialNumber: string;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly signingAlgorithm: (typeof ALGORITHMS)[KeyKind];
  } {
    const { kind, now } = this.options;
    return {
      serialNumber: serialNumber(),
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + VALID_DAYS * DAY_MS),
      signingAlgorithm: ALGORITHMS[kind],
    };
  }

  async generateKeys(): Promise<webcrypto.CryptoKeyPair> {
    const algorithm = ALGORITHMS[this.options.kind];
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    if ('privateKey' in keys) return keys;
    throw new TypeError(`${algorithm.name} keys come in pairs`);
  }

  async issue(
    authority: x509.X509Certificate,
    signingKey: webcrypto.CryptoKey,
    { subject, usage, hosts }: IssueRequest,
  ): Promise<Identity> {
    const keys = await this.generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...this.common(),
      subject: nameOf(subject),
      issuer: authority.subjectName,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(authority, false),
        ...(hosts.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension(hosts.map(toName))]),
      ],
    });
    return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
  }
}

function nameOf({ commonName, organizations = [] }: ClientSubject): x509.JsonName {
  return [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }];
}

function toName(host: string): x509.JsonGeneralName {
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  return { type: isAddress ? 'ip' : 'dns', value: host };
}

/** 16 bytes, positive and without a leading zero, as DER wants an integer. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  const hex = Buffer.from(bytes).toString('hex');
  return `4${hex.slice(1)}`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}
