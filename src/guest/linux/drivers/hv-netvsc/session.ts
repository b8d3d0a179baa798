/**
 * The NVSP session of one NIC: channel, protocol version, buffers, RNDIS device; and its end.
 * Source: drivers/net/hyperv/netvsc.c (netvsc_device_add(), negotiate_nvsp_ver(), netvsc_init_buf(),
 * netvsc_device_remove()), rndis_filter.c (reference C.5).
 * What this leaves out: sub-channels and RSS, isolation, retries of a send that found the ring full at start-up.
 */

import { err, ok, type Result } from '../../../../base/result.ts';
import { openPayload, PAGE_SIZE } from '../../../../bus/memory.ts';
import type { Task } from '../../../../sim/operation.ts';
import type { Protocol } from '../../../../wire/message.ts';
import {
  NVSP_CAPABILITIES,
  NVSP_COMPLETION,
  NVSP_STATUS,
  NVSP_VERSIONS,
  type NvspCompletion,
  type NvspMessage,
  RECEIVE_BUFFER_ID,
  SEND_BUFFER_ID,
} from '../../../../wire/nvsp.ts';
import { type Errno, inLog } from '../../../uapi/errno.ts';
import { fixed, log } from '../../kernel.ts';
import { serveNic } from './napi.ts';
import type { NetvscNic } from './nic.ts';
import { nvsp } from './nvsp-out.ts';

/** netvsc_ring_bytes: 128 pages in each direction (module parameter ring_size). */
const RING_PAGES = 128;
/** NETVSC_RECEIVE_BUFFER_DEFAULT 16 MB (15 MB for NVSP 2 and older), in whole sections rounded up to pages again. */
const RECEIVE_BUFFER_PAGES = (16 << 20) / PAGE_SIZE;
const RECEIVE_BUFFER_PAGES_LEGACY = (15 << 20) / PAGE_SIZE;
/** NETVSC_SEND_BUFFER_DEFAULT 1 MB, of which NETVSC_DEFAULT_TX sections of NETVSC_SEND_SECTION_SIZE are taken. */
const SEND_SECTION_SIZE = 6144;
const SEND_BUFFER_PAGES = Math.ceil((Math.floor((1 << 20) / SEND_SECTION_SIZE) * SEND_SECTION_SIZE) / PAGE_SIZE);
/** Newest first. */
const VERSIONS: readonly number[] = Object.values(NVSP_VERSIONS).sort((a, b) => b - a);

interface Buffer {
  readonly gpadl: number;
  readonly firstPfn: number;
  readonly pages: number;
}

export interface NvspSession {
  readonly version: number;
  readonly receive: Buffer;
  readonly send: Buffer & { readonly sectionSize: number; readonly sections: number };
}

/** Opens the channel and brings NVSP up; on failure everything is undone. */
export function* openSession(nic: NetvscNic): Task<Result<NvspSession, Errno>> {
  const { kernel, device } = nic;
  const { channel } = device;
  const early = fixed(kernel, 'napi-before-open');
  const errno = kernel.faults.strike('vmbus_open', nic.dev) ?? (yield* kernel.vmbus.open(channel, RING_PAGES));
  if (errno !== undefined) {
    log(kernel, nic.dev, 'err', `unable to open channel: ${inLog(errno)}`);
    return err(errno);
  }
  if (!early) yield* channel.loseEarlyInterrupt();
  nic.napi = kernel.sim.spawn(`${nic.dev}.napi`, 'guest', serveNic(nic), { daemon: true });
  const session = yield* negotiate(nic);
  if (!session.ok) {
    log(kernel, nic.dev, 'err', `unable to connect to NetVSP - ${inLog(session.error)}`);
    yield* kernel.vmbus.close(channel);
  }
  return session;
}

/** netvsc_device_remove(): hosts of Windows 10 and later want the channel closed before the buffers go. */
export function* closeSession(nic: NetvscNic, session: NvspSession): Task {
  const { kernel, device } = nic;
  const { channel } = device;
  yield* channel.send(nvsp({ name: 'revokeReceiveBuffer', id: RECEIVE_BUFFER_ID }));
  yield* channel.send(nvsp({ name: 'revokeSendBuffer', id: SEND_BUFFER_ID }));
  yield* nic.session.set(undefined);
  yield* kernel.vmbus.close(channel);
  yield* freeBuffer(nic, session.receive);
  yield* freeBuffer(nic, session.send);
}

function* negotiate(nic: NetvscNic): Task<Result<NvspSession, Errno>> {
  const version = yield* agreeOnVersion(nic);
  if (version === undefined) return err('EPROTO');
  yield* configure(nic, version);
  const legacy = version <= NVSP_VERSIONS['2'];
  const receive = yield* shareBuffer(nic, 'receive', legacy ? RECEIVE_BUFFER_PAGES_LEGACY : RECEIVE_BUFFER_PAGES);
  if (!receive.ok) return receive;
  const received = yield* ask(nic, { name: 'sendReceiveBuffer', gpadl: receive.value.gpadl, id: RECEIVE_BUFFER_ID });
  if (!isReceiveBufferUsable(received)) {
    if (received?.name === 'sendReceiveBufferComplete') sayRefused(nic, 'receive', received.status);
    yield* freeBuffer(nic, receive.value);
    return err('EINVAL');
  }
  const send = yield* shareBuffer(nic, 'send', SEND_BUFFER_PAGES);
  if (!send.ok) {
    yield* freeBuffer(nic, receive.value);
    return send;
  }
  const sent = yield* ask(nic, { name: 'sendSendBuffer', gpadl: send.value.gpadl, id: SEND_BUFFER_ID });
  if (sent?.name !== 'sendSendBufferComplete' || sent.status !== NVSP_STATUS.success || sent.sectionSize === 0) {
    if (sent?.name === 'sendSendBufferComplete') sayRefused(nic, 'send', sent.status);
    yield* freeBuffer(nic, receive.value);
    yield* freeBuffer(nic, send.value);
    return err('EINVAL');
  }
  const { sectionSize } = sent;
  const sections = Math.floor((SEND_BUFFER_PAGES * PAGE_SIZE) / sectionSize);
  return ok({
    version,
    receive: receive.value,
    send: { sectionSize, sections, ...send.value },
  });
}

function sayRefused(nic: NetvscNic, which: 'receive' | 'send', status: number): void {
  if (status === NVSP_STATUS.success) return; // its contents are at fault
  const text = `Unable to complete ${which} buffer initialization with NetVsp - status ${status}`;
  log(nic.kernel, nic.dev, 'err', text);
}

function* agreeOnVersion(nic: NetvscNic): Task<number | undefined> {
  for (const version of VERSIONS) {
    const answer = yield* ask(nic, { name: 'init', minVersion: version, maxVersion: version });
    if (answer === undefined) return undefined;
    if (answer.name === 'initComplete' && answer.status === NVSP_STATUS.success) return version;
  }
  return undefined;
}

/** Says what this guest can do. Without the sriov bit the host never offers a VF. */
function* configure(nic: NetvscNic, version: number): Task {
  const { channel } = nic.device;
  if (version >= NVSP_VERSIONS['2']) {
    const bits: (keyof typeof NVSP_CAPABILITIES)[] = ['ieee8021q'];
    if (version >= NVSP_VERSIONS['5']) bits.push('sriov', 'teaming');
    if (version >= NVSP_VERSIONS['6.1']) bits.push('rsc');
    const capabilities = bits.reduce((word, bit) => word | NVSP_CAPABILITIES[bit], 0);
    const mtu = nic.netdev.mtu + 14; // ETH_HLEN
    yield* channel.send(nvsp({ name: 'sendNdisConfig', mtu, capabilities }));
  }
  const [major, minor] = version <= NVSP_VERSIONS['4'] ? [6, 1] : [6, 30];
  yield* channel.send(nvsp({ name: 'sendNdisVersion', major, minor }));
}

/** netvsc_init_buf(): exactly one section, from the start, that fits the buffer. */
function isReceiveBufferUsable(answer: NvspCompletion | undefined): boolean {
  if (answer?.name !== 'sendReceiveBufferComplete' || answer.status !== NVSP_STATUS.success) return false;
  const { sectionCount, sectionOffset, subAllocSize, subAllocCount } = answer;
  const fits = subAllocSize * subAllocCount <= RECEIVE_BUFFER_PAGES * PAGE_SIZE;
  return sectionCount === 1 && sectionOffset === 0 && subAllocSize >= 68 && fits;
}

/** Sends a request and waits, without a limit, for its completion; undefined when none can come. */
export function* ask(nic: NetvscNic, message: NvspMessage): Task<NvspCompletion | undefined> {
  const { answer, result } = yield* nic.device.channel.request(nvsp(message), message.name);
  if (result !== 'sent') return undefined;
  const got = yield* answer.wait();
  if (got === undefined || got === 'rescinded') return undefined;
  const opened = openPayload(NVSP_COMPLETION as Protocol<NvspCompletion>, got.payload);
  return opened.name === 'malformed' ? undefined : opened;
}

function* shareBuffer(nic: NetvscNic, which: 'receive' | 'send', pages: number): Task<Result<Buffer, Errno>> {
  const { kernel, device } = nic;
  const firstPfn = kernel.bus.memory.allocate(pages);
  const failing = kernel.faults.strike('vmbus_establish_gpadl', nic.dev);
  const gpadl =
    failing === undefined ? yield* kernel.vmbus.establishGpadl(device.channel, firstPfn, pages) : err(failing);
  if (gpadl.ok) return ok({ gpadl: gpadl.value, firstPfn, pages });
  log(kernel, nic.dev, 'err', `unable to establish ${which} buffer's gpadl`);
  kernel.bus.memory.free(firstPfn, pages);
  return gpadl;
}

function* freeBuffer(nic: NetvscNic, buffer: Buffer): Task {
  yield* nic.kernel.vmbus.teardownGpadl(nic.device.channel, buffer.gpadl);
  nic.kernel.bus.memory.free(buffer.firstPfn, buffer.pages);
}
