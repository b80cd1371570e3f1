import { join } from 'node:path';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { Node, NodeMessage } from 'node-red';
import { ExpiryCheck } from '../../lib/findings/expiry-check';
import { DEFAULT_EXPIRY_SETTINGS, DEFAULT_FINDING_SETTINGS } from '../../lib/findings/settings';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { closePool } from '../../lib/scan/pool';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';
import { parseTargets } from '../../lib/scan/targets/parse';
import type { Send } from '../../nodes/runtime/input';
import { ScanRun } from '../../nodes/runtime/scan-run';
import { measureCpu, type Spent } from '../support/cpu';
import { answerJob, temporaryFolder } from '../support/processes';
import { targetLines, type EndpointSpec } from '../support/targets';

export interface FlowJob {
  endpoints: EndpointSpec;
  settings: Partial<ScanSettings>;
  /** How many of them are scanned once before, to warm up; not counted. */
  warmUp: number;
  /** How long the event loop is watched while nothing is done. */
  idleMs: number;
}

export interface LoopDelay {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface FlowFigures extends Spent {
  endpoints: number;
  recorded: number;
  findings: number;
  idle: LoopDelay;
  busy: LoopDelay;
}

/**
 * The flow of the examples without Node-RED around it: SSL Scan's run with its repository file and vulnerability watch,
 * each report on to Expiry Check in a later turn, as Node-RED delivers it. Done when all of it is judged and written.
 */
answerJob<FlowJob, FlowFigures>(async ({ endpoints, settings, warmUp, idleMs }) => {
  const repository = await openRepository({ kind: 'sqlite', path: join(temporaryFolder(), 'repository.db') });
  const idle = await watchLoop(() => new Promise(resolve => setTimeout(resolve, idleMs)));
  let findings = 0;
  const flow = async (count: number): Promise<void> => {
    findings = await runFlow(repository, targetLines({ ...endpoints, count }), settings);
  };
  if (warmUp > 0) await flow(warmUp);
  let busy = idle;
  const spent = await measureCpu(async () => {
    busy = await watchLoop(() => flow(endpoints.count));
  });
  const recorded = (await repository.endpoints()).length;
  await closePool();
  await repository.close();
  return { ...spent, endpoints: endpoints.count, recorded, findings, idle, busy };
});

/** One run through the flow; the number of Findings. */
async function runFlow(repository: Repository, targets: string[], settings: Partial<ScanSettings>): Promise<number> {
  let findings = 0;
  const judged = new Promise<void>((resolve, reject) => {
    const check = new ExpiryCheck({
      repository,
      settings: DEFAULT_EXPIRY_SETTINGS,
      onFindings: found => {
        findings += found.length;
        check.close();
        resolve();
      },
      onError: reject,
    });
    const send: Send = outputs => {
      const [report, finding] = outputs as (NodeMessage | null)[];
      if (finding) findings += 1;
      if (report) setImmediate(() => void check.add(report.payload, report).catch(reject));
    };
    const node = { status: () => {}, warn: () => {} } as unknown as Node;
    const config = {
      source: 'targets' as const,
      scan: { ...DEFAULT_SCAN_SETTINGS, ...settings },
      findings: DEFAULT_FINDING_SETTINGS,
    };
    new ScanRun(node, send, repository, config, false).scan(parseTargets(targets), () => {}).catch(reject);
  });
  await judged;
  await repository.flush();
  return findings;
}

async function watchLoop(work: () => Promise<void>): Promise<LoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return read(histogram);
}

function read(histogram: IntervalHistogram): LoopDelay {
  const ms = (nanoseconds: number): number => nanoseconds / 1e6;
  return { p50Ms: ms(histogram.percentile(50)), p99Ms: ms(histogram.percentile(99)), maxMs: ms(histogram.max) };
}
