import type { FlowNode } from './runtime';

/** The straight way through, as the first example has it, with collectors at every output. */
export function straightFlow(options: {
  ca: string;
  targets?: string;
  scan?: object;
  expiry?: object;
  policy?: object;
  ticket: FlowNode;
  /** Adds a repository with this base URL, which every node then has. */
  baseUrl?: string;
  more?: FlowNode[];
}): FlowNode[] {
  const { baseUrl } = options;
  const repository = baseUrl === undefined ? {} : { repository: 'base' };
  return [
    ...(baseUrl === undefined ? [] : [{ id: 'base', type: 'certdesk-repository', z: null, baseUrl }]),
    { id: 'tls', type: 'tls-config', z: null, cert: '', key: '', ca: options.ca, verifyservercert: true },
    {
      id: 'scan',
      type: 'certdesk-ssl-scan',
      targets: options.targets ?? '',
      timeoutMs: '2000',
      tls: 'tls',
      wires: [['expiry', 'reports'], ['policy', 'vulnerable'], ['runs']],
      ...repository,
      ...options.scan,
    },
    {
      id: 'expiry',
      type: 'certdesk-expiry-check',
      wires: [['policy', 'expiring'], ['not-due']],
      ...repository,
      ...options.expiry,
    },
    {
      id: 'policy',
      type: 'certdesk-notification-policy',
      wires: [['ticket', 'told'], ['mail'], ['syslog']],
      ...repository,
      ...options.policy,
    },
    { ...repository, ...options.ticket, id: 'ticket', wires: [['records']] },
    { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] },
    ...['reports', 'vulnerable', 'runs', 'expiring', 'not-due', 'told', 'mail', 'syslog', 'records', 'errors'].map(
      id => ({
        id,
        type: 'helper',
      }),
    ),
    ...(options.more ?? []),
  ];
}
