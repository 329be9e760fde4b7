/** The segment of the caller, as its `sw8` header names it. */
export interface SegmentReference {
  readonly refType: 'CrossProcess';
  readonly traceId: string;
  readonly parentTraceSegmentId: string;
  readonly parentSpanId: number;
  readonly parentService: string;
  readonly parentServiceInstance: string;
  readonly parentEndpoint: string;
  readonly networkAddressUsedAtPeer: string;
}

const TEXT_MAX = 1_024;
const FIELDS = 8;

/** Undefined when the header cannot be read. Source: SkyWalking Cross Process Propagation v3. */
export function readSw8(header: string | undefined): SegmentReference | undefined {
  const [flag, trace, segment, span, service, instance, endpoint, address] =
    header?.split('-', FIELDS + 1) ?? [];
  const texts = [trace, segment, service, instance, endpoint, address].map(decoded);
  const index = Number(span);
  if ((flag !== '0' && flag !== '1') || !Number.isSafeInteger(index)) return undefined;
  const [traceId, parentTraceSegmentId, ...names] = texts;
  if (!traceId || !parentTraceSegmentId || names.includes(undefined)) return undefined;
  const [parentService = '', parentServiceInstance = '', parentEndpoint = '', peer = ''] = names;
  return {
    refType: 'CrossProcess',
    traceId,
    parentTraceSegmentId,
    parentSpanId: index,
    parentService,
    parentServiceInstance,
    parentEndpoint,
    networkAddressUsedAtPeer: peer,
  };
}

/** What the upstream is told: the exit span of this segment is its parent. */
export function sw8(reference: Omit<SegmentReference, 'refType'>): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return [
    '1',
    base64(reference.traceId),
    base64(reference.parentTraceSegmentId),
    reference.parentSpanId,
    base64(reference.parentService),
    base64(reference.parentServiceInstance),
    base64(reference.parentEndpoint),
    base64(reference.networkAddressUsedAtPeer),
  ].join('-');
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text.length > TEXT_MAX) return undefined;
  return Buffer.from(text, 'base64').toString();
}
