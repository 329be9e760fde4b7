import { timerMs } from '../../core/timer-ms.ts';
import { type BatchProcessor, createBatchProcessor } from '../batch/batch-processor.ts';
import { createHttpSink, type HttpSink } from '../batch/http-sink.ts';
import type { PluginEnvironment } from '../plugin.ts';

export interface SkyWalkingSettings {
  readonly service: string;
  readonly serviceInstance: string;
  /** URL without path. */
  readonly address: string;
  readonly reportMs: number;
}

/** The one way of segments to SkyWalking; says that the gateway lives while someone uses it. */
export interface SegmentReporter extends BatchProcessor<object> {
  /** One more instance of the plugin; each closes once. */
  open(): void;
}

const TIMEOUT_MS = 3_000;
const JSON_TYPE = { 'Content-Type': 'application/json' } as const;

export function createSegmentReporter(
  { address, service, serviceInstance, reportMs }: SkyWalkingSettings,
  environment: Pick<PluginEnvironment, 'batches' | 'warn' | 'now'>,
): SegmentReporter {
  const segments = sinkOf(`${address}/v3/segments`);
  const properties = sinkOf(`${address}/v3/management/reportProperties`);
  const keepAlive = sinkOf(`${address}/v3/management/keepAlive`);
  const instance = { service, serviceInstance };
  let openCount = 0;
  let timer: NodeJS.Timeout | undefined;
  let isIntroduced = false;
  const batch = createBatchProcessor<object>(
    {
      name: 'skywalking',
      batchMax: 256,
      inactiveMs: reportMs,
      bufferMs: reportMs,
      retriesMax: 1,
      retryMs: 1_000,
      pendingMax: 8_192,
    },
    {
      book: environment.batches,
      send: (batched) => segments.post(JSON.stringify(batched), JSON_TYPE),
      warn: environment.warn,
      now: environment.now,
    },
  );

  /** May reject: that nothing can be sent there is told with the segments. */
  async function introduce(): Promise<void> {
    if (isIntroduced) {
      await keepAlive.post(JSON.stringify(instance), JSON_TYPE);
      return;
    }
    const about = [{ key: 'language', value: 'nodejs' }];
    const body = JSON.stringify({ ...instance, properties: about });
    isIntroduced = (await properties.post(body, JSON_TYPE)) === undefined;
  }

  function live(): void {
    introduce().catch(() => undefined);
  }

  return {
    open() {
      openCount += 1;
    },
    push(segment, routeId, serverAddr) {
      if (timer === undefined && openCount > 0) {
        live();
        timer = setInterval(live, timerMs(reportMs)).unref();
      }
      return batch.push(segment, routeId, serverAddr);
    },
    async close() {
      openCount -= 1;
      if (openCount === 0) {
        clearInterval(timer);
        timer = undefined;
      }
      await batch.close();
    },
  };
}

function sinkOf(url: string): HttpSink {
  return createHttpSink({
    url: new URL(url),
    timeoutMs: TIMEOUT_MS,
    verifiesTls: false,
    isTaken: (status) => status < 300,
    mayRetry: (status) => status >= 500,
  });
}
