/**
 * One NIC of the host: what its protocols share. The protocols are in files of their own and are functions of this.
 * What this leaves out: sub-channels (a request for them is granted none), so there is one channel and one queue.
 */
import { known } from '../base/assert.ts';
import type { Guid } from '../base/guid.ts';
import { macBytes } from '../base/mac.ts';
import type { Nanoseconds } from '../base/time.ts';
import { NO_PAYLOAD } from '../bus/memory.ts';
import type { PciFunction } from '../bus/pci-function.ts';
import type { SyntheticModel, VfModel } from '../device-kit.ts';
import type { LatencyRow } from '../sim/latency.ts';
import type { Path } from '../trace/event.ts';
import { flowOfFrame } from '../wire/flow-payload.ts';
import type { Malformed } from '../wire/message.ts';
import { NVSP_CAPABILITIES, NVSP_VERSIONS, type NvspCompletion, type NvspMessage } from '../wire/nvsp.ts';
import { describe } from './describe.ts';
import { completionOf } from './fault-points.ts';
import { sendMessage, takeUp } from './faults.ts';
import type { HostItem, RequestHead } from './item.ts';
import type { NicState } from './nic-state.ts';
import { type HostNic, nicInstance, type VfSlots, vfInstance, vfOf } from './plan.ts';
import type { Worker } from './worker.ts';

/** The one request that is answered with nothing. */
const EMPTY_ANSWER = completionOf('switchDataPath');

/** What never changes about a NIC. */
export interface NicParts {
  readonly plan: HostNic;
  /** Its place in the plan. */
  readonly index: number;
  readonly model: SyntheticModel;
  readonly familyOf: (name: string) => VfModel;
  readonly vfSlots: VfSlots | undefined;
}

export class Nic {
  readonly worker: Worker<NicState>;
  readonly plan: HostNic;
  readonly index: number;
  readonly model: SyntheticModel;
  /** See {@link HostPlan}. */
  readonly vfSlots: VfSlots | undefined;
  readonly name: string;
  /** The VF's name. */
  readonly vf: string;
  /** The MAC as bytes, for the look at each frame. */
  readonly address: Uint8Array;
  /** Instance GUIDs of the NIC's channel and of its VF's. */
  readonly instances: { readonly nic: Guid; readonly vf: Guid };
  private readonly familyOf: (name: string) => VfModel;

  constructor(worker: Worker<NicState>, parts: NicParts) {
    this.worker = worker;
    this.plan = parts.plan;
    this.index = parts.index;
    this.model = parts.model;
    this.familyOf = parts.familyOf;
    this.vfSlots = parts.vfSlots;
    this.name = parts.plan.name;
    this.vf = vfOf(this.name);
    this.address = macBytes(parts.plan.mac);
    this.instances = { nic: nicInstance(this.index), vf: vfInstance(this.index) };
  }

  get state(): NicState {
    return this.worker.state;
  }

  /** What the guest is told in the place of a serial number. */
  numberOf(serial: number): number {
    return this.vfSlots === undefined ? serial : known(this.vfSlots[serial - 1], `a slot of serial number ${serial}`);
  }

  /** The model of the VF that stands, or would stand, beside the NIC. */
  get family(): VfModel {
    return this.familyOf(this.state.vf.family);
  }

  /** The function; undefined when the plan has no VF for this NIC. */
  get fn(): PciFunction | undefined {
    return this.worker.around.bus.functions.get(this.vf);
  }

  /** Whether the guest has said that it can have VFs, in a version that can tell it of them (reference C.5, C.8). */
  get canHaveVf(): boolean {
    const { version, capabilities, operational } = this.state.nvsp;
    return operational && version >= NVSP_VERSIONS['4'] && (capabilities & NVSP_CAPABILITIES.sriov) !== 0;
  }

  span(row: LatencyRow, ofDevice?: Nanoseconds): Nanoseconds {
    return this.worker.around.latency.of(row, ofDevice);
  }

  /** Takes a message of the guest's up after the time that an answer takes. */
  later(dev: string, message: string, item: HostItem): void {
    takeUp(this.worker, [dev, message], this.span('host.reply'), item);
  }

  /** Sends an in-band NVSP message; nothing when the channel is closed. */
  say(message: NvspMessage, transactionId = 0n): void {
    const { channel } = this.state;
    if (channel === undefined) return;
    const completionRequested = transactionId !== 0n;
    const packet = { type: 'inband', transactionId, completionRequested, payload: message, codec: 'nvsp' } as const;
    sendMessage(this.worker, this.name, message.name, {
      to: 'ring',
      channel,
      packet,
      tell: this.told(message.name, describe(this.worker.around.sim.trace, 'nvsp.message', message)),
    });
  }

  /** Answers a request, if it asked for an answer; an undefined answer is an empty payload. */
  complete(request: RequestHead, answer: NvspCompletion | undefined): void {
    const { channel } = this.state;
    if (channel === undefined || !request.completionRequested) return;
    const { transactionId } = request;
    const type = 'completion';
    if (answer === undefined) {
      const tell = this.told('completion', 'empty');
      const packet = { type, transactionId, completionRequested: false, payload: NO_PAYLOAD } as const;
      sendMessage(this.worker, this.name, EMPTY_ANSWER, { to: 'ring', channel, packet, tell });
      return;
    }
    const codec = 'nvspCompletion';
    const packet = { type, transactionId, completionRequested: false, payload: answer, codec } as const;
    sendMessage(this.worker, this.name, answer.name, {
      to: 'ring',
      channel,
      packet,
      tell: this.told(answer.name, describe(this.worker.around.sim.trace, 'nvsp.message', answer)),
    });
  }

  /** Answers a packet of RNDIS, which may be one of very many: nothing is told of it. */
  completeRndis({ transactionId, completionRequested }: RequestHead, status: number): void {
    const { channel } = this.state;
    if (channel === undefined || !completionRequested) return;
    const payload: NvspCompletion = { name: 'sendRndisPacketComplete', status };
    sendMessage(this.worker, this.name, payload.name, {
      to: 'ring',
      channel,
      packet: { type: 'completion', transactionId, completionRequested: false, payload, codec: 'nvspCompletion' },
    });
  }

  refuse(what: string, why: string, dev = this.name): void {
    this.worker.emit({ kind: 'host.refused', dev, what, why });
  }

  malformed(problem: Malformed, dev: string): void {
    const { protocol, what = '' } = problem;
    this.worker.emit({ kind: 'wire.malformed', from: 'guest', protocol, problem: problem.problem, dev, detail: what });
  }

  vfState(state: string): void {
    this.worker.emit({ kind: 'host.vf', dev: this.vf, state });
  }

  /** Notes that a frame of ours ends here. */
  lose(frame: Uint8Array, path: Path, where: string): void {
    const ours = flowOfFrame(frame);
    if (ours === undefined) return;
    const { flow, direction, id } = ours;
    this.worker.emit({ kind: 'frame.lost', flow, direction, id, path, where });
  }

  private told(name: string, detail: string) {
    return { kind: 'nvsp.message', from: 'host', name, nic: this.name, detail } as const;
  }
}
