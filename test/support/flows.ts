import type { FlowNode } from './runtime';

/** The straight way through, as the first example has it, with collectors at every output. */
export function straightFlow(options: {
  ca: string;
  targets?: string;
  scan?: object;
  expiry?: object;
  policy?: object;
  ticket: FlowNode;
  more?: FlowNode[];
}): FlowNode[] {
  return [
    { id: 'tls', type: 'tls-config', z: null, cert: '', key: '', ca: options.ca, verifyservercert: true },
    {
      id: 'scan',
      type: 'certdesk-ssl-scan',
      targets: options.targets ?? '',
      timeoutMs: '2000',
      tls: 'tls',
      wires: [['expiry', 'reports'], ['policy', 'vulnerable'], ['runs']],
      ...options.scan,
    },
    { id: 'expiry', type: 'certdesk-expiry-check', wires: [['policy', 'expiring'], ['not-due']], ...options.expiry },
    {
      id: 'policy',
      type: 'certdesk-notification-policy',
      wires: [['ticket', 'told'], ['mail'], ['syslog']],
      ...options.policy,
    },
    { ...options.ticket, id: 'ticket', wires: [['records']] },
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
