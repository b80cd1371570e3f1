import { checkTemplate } from '../../lib/model/text';
import {
  DEFAULT_MAIL_SETTINGS,
  DEFAULT_POLICY_SETTINGS,
  parseFacility,
  parseFrequency,
  parseRecipients,
  parseThresholds,
  parseTimeZone,
  type MailSettings,
  type PolicySettings,
  type SyslogSettings,
} from '../../lib/policy/settings';
import { choice, list, number, optionalNumber, text, type Config } from './config';

/** What the properties of certdesk-notification-policy say. */
export interface PolicyConfig {
  policy: PolicySettings;
  mail: MailSettings;
  syslog: SyslogSettings;
}

/** Throws CONFIG naming the property that is wrong. */
export function readPolicyConfig(config: Config): PolicyConfig {
  const { thresholds } = config;
  return {
    policy: {
      frequency: parseFrequency(config['frequency']),
      timeZone: parseTimeZone(config['timeZone']),
      thresholds: thresholds === undefined ? DEFAULT_POLICY_SETTINGS.thresholds : parseThresholds(thresholds),
      everyRunBelowDays: optionalNumber(config, 'everyRunBelowDays', { min: -36_500, max: 36_500 }),
      include: list(config, 'include'),
      exclude: list(config, 'exclude'),
    },
    mail: {
      emailTo: parseRecipients(config['emailTo']),
      emailMode: choice(config, 'emailMode', ['digest', 'each']),
      emailSubject: template(config, 'emailSubject'),
      emailBody: template(config, 'emailBody'),
      digestWaitMs: number(config, 'digestWaitMs', DEFAULT_MAIL_SETTINGS.digestWaitMs, { min: 0, max: 600_000 }),
    },
    syslog: {
      facility: parseFacility(config['syslogFacility']),
      framing: choice(config, 'syslogFraming', ['none', 'newline', 'octet-counting']),
    },
  };
}

function template(config: Config, name: 'emailSubject' | 'emailBody'): string {
  const source = text(config, name);
  checkTemplate(name, source);
  return source;
}
