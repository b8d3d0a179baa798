/**
 * NVS, the guest's end of the synthetic NIC's channel: version, buffers, data path; and the end of all of it.
 * Source: sys/dev/hyperv/netvsc/hn_nvs.c (hn_nvs_attach(), hn_nvs_detach(), hn_nvs_set_datapath()); reference E.1. Sizes
 * are from memory (if_hn.c, HN_RXBUF_SIZE and its kin).
 * What this leaves out: sub-channels and RSS.
 */
import { err, ok, type Result } from '../../../../base/result.ts';
import { openPayload, PAGE_SIZE } from '../../../../bus/memory.ts';
import type { Task } from '../../../../sim/operation.ts';
import type { Path } from '../../../../trace/event.ts';
import type { Protocol } from '../../../../wire/message.ts';
import {
  DATA_PATH,
  NVSP_CAPABILITIES,
  NVSP_COMPLETION,
  NVSP_STATUS,
  NVSP_VERSIONS,
  type NvspCompletion,
  type NvspMessage,
  RECEIVE_BUFFER_ID,
  SEND_BUFFER_ID,
} from '../../../../wire/nvsp.ts';
import type { Errno } from '../../../uapi/errno.ts';
import { fixed } from '../../net.ts';
import { nvs } from './nvs-out.ts';
import { serveChannel } from './receive.ts';
import { giveTime, type Hn, hnLog } from './softc.ts';

/** 128 pages in each direction. */
const RING_PAGES = 128;
const RECEIVE_BUFFER_PAGES = (31 << 20) / PAGE_SIZE;
const RECEIVE_BUFFER_PAGES_LEGACY = (15 << 20) / PAGE_SIZE;
const CHIMNEY_PAGES = (15 << 20) / PAGE_SIZE;
/** Newest first. */
const VERSIONS: readonly number[] = (['5', '4', '2', '1'] as const).map((version) => NVSP_VERSIONS[version]);
/** ETHER_HDR_LEN. */
const ETHER_HEADER = 14;

interface Buffer {
  readonly gpadl: number;
  readonly firstPfn: number;
  readonly pages: number;
}

/** What hn and the host have agreed upon: HN_FLAG_SYNTH_ATTACHED is that there is one. */
export interface NvsSession {
  readonly version: number;
  readonly receive: Buffer;
  readonly chimney: Buffer & { readonly sectionSize: number; readonly sections: number };
}

/** hn_chan_attach() and hn_nvs_attach(): on failure everything is undone. */
export function* attachNvs(hn: Hn, mtu: number): Task<Result<NvsSession, Errno>> {
  const { kernel, client, device } = hn;
  const errno = yield* client.open(device.channel, RING_PAGES);
  if (errno !== undefined) return err(errno);
  kernel.sim.spawn(`${hn.dev}.rx`, 'guest', serveChannel(hn), { daemon: true });
  const session = yield* negotiate(hn, mtu);
  if (!session.ok) yield* client.close(device.channel);
  return session;
}

/**
 * hn_nvs_detach() and the end of the channel. The host is given time to let go of each buffer, for it answers nothing; of
 * a channel that was taken back it has let go already.
 */
export function* detachNvs(hn: Hn, session: NvsSession): Task {
  const { client, device } = hn;
  const { channel } = device;
  const messages: readonly [NvspMessage, Buffer][] = [
    [{ name: 'revokeReceiveBuffer', id: RECEIVE_BUFFER_ID }, session.receive],
    [{ name: 'revokeSendBuffer', id: SEND_BUFFER_ID }, session.chimney],
  ];
  for (const [message, buffer] of messages) {
    const sent = yield* channel.send(nvs(message));
    if (sent === 'sent') yield* giveTime(hn, `the host to let go: ${message.name}`);
    yield* freeBuffer(hn, buffer);
  }
  yield* hn.session.set(undefined);
  yield* client.close(channel);
}

/** hn_nvs_set_datapath(): nobody waits for the host, and it is not asked to answer. */
export function* setDatapath(hn: Hn, path: Path): Task {
  const { channel } = hn.device;
  const message = nvs({ name: 'switchDataPath', activeDataPath: path === 'vf' ? DATA_PATH.vf : DATA_PATH.synthetic });
  if (!fixed(hn.kernel.net, 'hn-awaits-switch')) {
    yield* channel.send(message);
    return;
  }
  const { result, answer } = yield* channel.request(message, 'SET_DATAPATH');
  if (result === 'sent') yield* channel.untilRescinded(answer);
}

function* negotiate(hn: Hn, mtu: number): Task<Result<NvsSession, Errno>> {
  const version = yield* agreeOnVersion(hn);
  if (version === undefined) return err('ENXIO');
  yield* configure(hn, version, mtu);
  const legacy = version <= NVSP_VERSIONS['2'];
  const receive = yield* shareBuffer(hn, legacy ? RECEIVE_BUFFER_PAGES_LEGACY : RECEIVE_BUFFER_PAGES);
  if (!receive.ok) return receive;
  const received = yield* ask(hn, { name: 'sendReceiveBuffer', gpadl: receive.value.gpadl, id: RECEIVE_BUFFER_ID });
  if (received?.name !== 'sendReceiveBufferComplete' || received.status !== NVSP_STATUS.success) {
    hnLog(hn, 'err', 'NVS rxbuf conn failed');
    yield* freeBuffer(hn, receive.value);
    return err('EIO');
  }
  const chimney = yield* shareBuffer(hn, CHIMNEY_PAGES);
  if (!chimney.ok) {
    yield* freeBuffer(hn, receive.value);
    return chimney;
  }
  const sent = yield* ask(hn, { name: 'sendSendBuffer', gpadl: chimney.value.gpadl, id: SEND_BUFFER_ID });
  if (sent?.name !== 'sendSendBufferComplete' || sent.status !== NVSP_STATUS.success || sent.sectionSize === 0) {
    hnLog(hn, 'err', 'NVS chim conn failed');
    yield* freeBuffer(hn, receive.value);
    yield* freeBuffer(hn, chimney.value);
    return err('EIO');
  }
  const { sectionSize } = sent;
  const sections = Math.floor((CHIMNEY_PAGES * PAGE_SIZE) / sectionSize);
  return ok({ version, receive: receive.value, chimney: { sectionSize, sections, ...chimney.value } });
}

function* agreeOnVersion(hn: Hn): Task<number | undefined> {
  for (const version of VERSIONS) {
    const answer = yield* ask(hn, { name: 'init', minVersion: version, maxVersion: version });
    if (answer === undefined) return undefined;
    if (answer.name === 'initComplete' && answer.status === NVSP_STATUS.success) return version;
  }
  hnLog(hn, 'err', 'no NVS available');
  return undefined;
}

/** Without the SR-IOV bit the host never offers a VF. */
function* configure(hn: Hn, version: number, mtu: number): Task {
  const { channel } = hn.device;
  if (version >= NVSP_VERSIONS['2']) {
    const sriov = version >= NVSP_VERSIONS['5'] ? NVSP_CAPABILITIES.sriov : 0;
    const capabilities = NVSP_CAPABILITIES.ieee8021q | sriov;
    yield* channel.send(nvs({ name: 'sendNdisConfig', mtu: mtu + ETHER_HEADER, capabilities }));
  }
  const [major, minor] = version <= NVSP_VERSIONS['4'] ? [6, 1] : [6, 30];
  yield* channel.send(nvs({ name: 'sendNdisVersion', major, minor }));
}

/** hn_nvs_xact_execute(): undefined when no answer can come any more. */
function* ask(hn: Hn, message: NvspMessage): Task<NvspCompletion | undefined> {
  const { channel } = hn.device;
  const { answer, result } = yield* channel.request(nvs(message), message.name);
  if (result !== 'sent') return undefined;
  const got = yield* channel.untilRescinded(answer);
  if (got === undefined || got === 'rescinded') return undefined;
  const opened = openPayload(NVSP_COMPLETION as Protocol<NvspCompletion>, got.payload);
  return opened.name === 'malformed' ? undefined : opened;
}

function* shareBuffer({ kernel, client, device }: Hn, pages: number): Task<Result<Buffer, Errno>> {
  const firstPfn = kernel.bus.memory.allocate(pages);
  const gpadl = yield* client.establishGpadl(device.channel, firstPfn, pages);
  if (gpadl.ok) return ok({ gpadl: gpadl.value, firstPfn, pages });
  kernel.bus.memory.free(firstPfn, pages);
  return gpadl;
}

function* freeBuffer({ kernel, client, device }: Hn, { gpadl, firstPfn, pages }: Buffer): Task {
  yield* client.teardownGpadl(device.channel, gpadl);
  kernel.bus.memory.free(firstPfn, pages);
}
