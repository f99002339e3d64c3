/**
 * What a run of Helm is handed of our environment: enough to find itself, its settings, a proxy and
 * the credentials of the cluster, and nothing else. Which cluster it is, is said by us alone.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

const PASSED = new Set(
  [
    'PATH HOME USER LOGNAME LANG LC_ALL TZ TMPDIR TEMP TMP SystemRoot USERPROFILE APPDATA LOCALAPPDATA PATHEXT',
    'XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR',
    'HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy',
    'SSL_CERT_FILE SSL_CERT_DIR DOCKER_CONFIG REGISTRY_AUTH_FILE',
    'KUBECONFIG KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT',
  ].flatMap((line) => line.split(' ')),
);

/**
 * Helm's own settings go along, but for those that would name another cluster or namespace than the
 * one we speak to, and for debugging, which prints values.
 */
const NOT_PASSED = /^HELM_(KUBE\w*|NAMESPACE|DEBUG|BIN)$/;

/** What credential plugins of the clouds and of logins read (aws, gke, kubelogin, tsh, doctl, oci). */
const FOR_PLUGINS =
  /^(AWS|AZURE|AAD|ARM|MSI|IDENTITY|GOOGLE|CLOUDSDK|USE_GKE|GKE|DIGITALOCEAN|OCI|OS|TELEPORT|TSH|VAULT|KUBELOGIN|LINODE|SCW|EXOSCALE|IBMCLOUD|ALIBABA)_|^(BROWSER|DISPLAY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|GNUPGHOME)$/;

export interface ChildSettings {
  readonly environment: Environment;
  readonly kubeconfig: string | undefined;
  /** The user of the context has a plugin that makes its credentials. */
  readonly hasPlugin: boolean;
}

export function childEnvironment(settings: ChildSettings): Readonly<Record<string, string>> {
  const { environment, kubeconfig, hasPlugin } = settings;
  const passed = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isPassed(entry[0], hasPlugin),
  );
  return {
    ...Object.fromEntries(passed),
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
  };
}

function isPassed(name: string, hasPlugin: boolean): boolean {
  if (name.startsWith('HELM_')) return !NOT_PASSED.test(name);
  return PASSED.has(name) || (hasPlugin && FOR_PLUGINS.test(name));
}
