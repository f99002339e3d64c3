/** Who a kubeconfig with certificates inside lets in where: of those that a twin or the real lane writes. */
import { parse } from 'yaml';

export interface ClientIdentity {
  readonly url: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** Of the text, not of its file. */
export function identityIn(kubeconfig: string): ClientIdentity {
  const { clusters, users } = parse(kubeconfig) as Kubeconfig; // our own
  const cluster = clusters[0]?.cluster ?? {};
  const user = users[0]?.user ?? {};
  return {
    url: cluster['server'] ?? '',
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  };
}

function decoded(text = ''): Buffer {
  return Buffer.from(text, 'base64');
}
