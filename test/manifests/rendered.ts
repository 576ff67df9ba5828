// What do the files of k8s/ come to? The objects that `kubectl apply -k` would send, as far as the tests look at them.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { render, ROOT } from './tools.js';

export type Labels = Readonly<Record<string, string>>;

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly configMapKeyRef?: { readonly name: string; readonly key: string };
  };
}

export interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly Variable[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly hostNetwork?: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly topologySpreadConstraints: readonly {
    readonly topologyKey: string;
    readonly whenUnsatisfiable: string;
    readonly labelSelector: { readonly matchLabels: Labels };
  }[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

export interface StatefulSet {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Labels };
    readonly podManagementPolicy: string;
    readonly updateStrategy: { readonly type: string };
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly volumeClaimTemplates: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: {
        readonly accessModes: readonly string[];
        readonly resources: { readonly requests: { readonly storage: string } };
      };
    }[];
  };
}

export interface Service {
  readonly spec: {
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly selector: Labels;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
  };
}

export interface NetworkPeer {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
}

export interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly policyTypes: readonly string[];
    readonly ingress: readonly Rule<'from'>[];
    readonly egress: readonly Rule<'to'>[];
  };
}

export type Rule<Side extends 'from' | 'to'> = { readonly [S in Side]?: readonly NetworkPeer[] } & {
  readonly ports: readonly { readonly protocol: string; readonly port: string | number }[];
};

export interface DisruptionBudget {
  readonly spec: { readonly maxUnavailable: number; readonly selector: { readonly matchLabels: Labels } };
}

interface Kubernetes {
  readonly StatefulSet: StatefulSet;
  readonly Service: Service;
  readonly NetworkPolicy: NetworkPolicy;
  readonly PodDisruptionBudget: DisruptionBudget;
  readonly ConfigMap: { readonly data: Readonly<Record<string, string>> };
  readonly Secret: { readonly data: Readonly<Record<string, string>> };
  readonly Namespace: { readonly metadata: { readonly labels: Labels } };
}

interface AnyObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export class Rendered {
  private constructor(
    readonly text: string,
    private readonly objects: readonly AnyObject[],
  ) {}

  static async from(folder: string): Promise<Rendered> {
    const text = await render(folder);
    return new Rendered(
      text,
      parseAllDocuments(text).map((document) => document.toJS() as AnyObject),
    );
  }

  /** With strategic merge patches of the set, one after another, as of `kubectl patch`; `scratch` is a folder for it alone. */
  static async patched(folder: string, patches: readonly object[], scratch: string): Promise<Rendered> {
    await mkdir(scratch);
    const named = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'quartet' } };
    const kustomization = {
      resources: [relative(scratch, resolve(ROOT, folder))],
      patches: patches.map((patch) => ({
        target: { kind: 'StatefulSet' },
        patch: JSON.stringify({ ...named, ...patch }),
      })),
    };
    await writeFile(join(scratch, 'kustomization.yaml'), JSON.stringify(kustomization));
    return Rendered.from(scratch);
  }

  /** Each as `Kind/name`. */
  get names(): readonly string[] {
    return this.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  }

  get namespaces(): ReadonlySet<string | undefined> {
    return new Set(this.objects.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace));
  }

  /** The only one of its kind, unless it is named. */
  one<Kind extends keyof Kubernetes>(kind: Kind, name?: string): Kubernetes[Kind] {
    const found = this.objects.filter(
      (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
    );
    if (found.length !== 1)
      throw new Error(`${found.length} objects are ${kind} ${name ?? ''}; of ${this.names.join(', ')}`);
    return found[0] as unknown as Kubernetes[Kind];
  }

  get pod(): PodSpec {
    return this.one('StatefulSet').spec.template.spec;
  }

  get replica(): Container {
    const [container, ...others] = this.pod.containers;
    if (container === undefined || others.length > 0) throw new Error('a pod has one container');
    return container;
  }

  get secretName(): string {
    return this.pod.volumes.find(({ secret }) => secret !== undefined)!.secret!.secretName;
  }

  /** The environment of a pod's container, as the kubelet makes it: references see what `env` names before them, no more. */
  environmentOf(pod: string): Readonly<Record<string, string>> {
    const { data } = this.one('ConfigMap');
    const fields: Record<string, string> = {
      'metadata.name': pod,
      'metadata.namespace': this.one('StatefulSet').metadata.namespace,
    };
    const named: Record<string, string> = {};
    for (const { name, value, valueFrom } of this.replica.env) {
      const { fieldRef, configMapKeyRef } = valueFrom ?? {};
      named[name] =
        value?.replace(/\$\((\w+)\)/g, (reference, other: string) => named[other] ?? reference) ??
        (fieldRef === undefined ? data[configMapKeyRef!.key]! : fields[fieldRef.fieldPath]!);
    }
    return { ...data, ...named };
  }
}
