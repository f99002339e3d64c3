/** Certificates, keys and kubeconfigs of a control plane that lives as long as the lane. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, type Identity } from '../../../src/twin/wire/certificates.ts';
import { kubeconfigText } from '../../../src/twin/wire/kubeconfig.ts';

/** Paths of files in the control plane's folder. */
export interface CredentialFiles {
  readonly authority: string;
  readonly server: FilePair;
  readonly etcdClient: FilePair;
  readonly serviceAccounts: FilePair;
  /** By component: a kubeconfig for the API server's address. */
  kubeconfig(user: keyof typeof USERS): string;
}

export interface FilePair {
  readonly certificate: string;
  readonly key: string;
}

const USERS = {
  admin: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
} as const;

const PRIVATE = 0o600;

export async function writeCredentials(
  directory: string,
  server: string,
): Promise<CredentialFiles> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = await createAuthority({
    kind: 'ecdsa-p256',
    commonName: 'regauge-real-lane',
    now: Date.now(),
  });
  const place = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: PRIVATE });
    return path;
  };
  const pair = (name: string, { certificate, key }: Identity): FilePair => ({
    certificate: place(`${name}.crt`, certificate),
    key: place(`${name}.key`, key),
  });
  const kubeconfigs = new Map<string, string>();
  for (const [user, subject] of Object.entries(USERS)) {
    const identity = await authority.issueClient(subject);
    const text = kubeconfigText({
      cluster: 'real',
      url: server,
      authority: authority.certificate,
      user,
      identity,
    });
    kubeconfigs.set(user, place(`${user}.kubeconfig`, text));
  }
  return {
    authority: place('ca.crt', authority.certificate),
    server: pair('server', await authority.issueServer(['kubernetes.default.svc', '10.96.0.1'])),
    etcdClient: pair('etcd-client', await authority.issueClient({ commonName: 'kube-apiserver' })),
    serviceAccounts: serviceAccountKeys(place),
    kubeconfig: (user) => kubeconfigs.get(user) ?? '',
  };
}

function serviceAccountKeys(place: (name: string, text: string) => string): FilePair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    certificate: place('service-accounts.pub', publicKey),
    key: place('service-accounts.key', privateKey),
  };
}
