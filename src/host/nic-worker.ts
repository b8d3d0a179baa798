/**
 * The owner of one NIC: of its NVSP channel, of its VF's vPCI channel and of the VF's frames, so that no state of a
 * NIC is shared. Here everything that comes to it is handed to the file that it concerns.
 */
import type { ReadPacket } from '../bus/packet.ts';
import { RNDIS_STATUS } from '../wire/oid.ts';
import { CLASS_GUIDS } from '../wire/vmbus.ts';
import type { HostAction, RevokeOrder } from './action.ts';
import { arm, carry, speakAgain } from './faults.ts';
import { egress, ingress } from './frames.ts';
import type { Delivery, HostItem, OpenChannel } from './item.ts';
import { answerNvsp, closeNetvsp, openNetvsp, receiveNetvsp } from './netvsp.ts';
import { Nic, type NicParts } from './nic.ts';
import type { NicState } from './nic-state.ts';
import { finishSwitch } from './path.ts';
import { SERVICING, VMBUS, workerOf } from './plan.ts';
import { sayRndis, takeBack } from './receive-buffer.ts';
import { answerRndis } from './rndis.ts';
import { strayFrame } from './stations.ts';
import {
  associate,
  disassociateDue,
  ejectLimit,
  offerAlone,
  offerNow,
  plug,
  type Refusal,
  rescindVf,
  revoke,
  slotEjected,
  vfReleased,
  withdraw,
} from './vf-life.ts';
import { answerVpci, closeVpci, openVpci, receiveVpci } from './vpci.ts';
import type { Behaviour, Worker } from './worker.ts';

export class NicWorker implements Behaviour {
  private readonly nic: Nic;

  constructor(worker: Worker<NicState>, parts: NicParts) {
    this.nic = new Nic(worker, parts);
    // Made now, absent, so that a guest and a report find it whenever they look.
    if (parts.plan.vf !== undefined) worker.around.bus.function(this.nic.vf, worker.name);
  }

  take(item: HostItem): void {
    const { nic } = this;
    switch (item.what) {
      case 'signal':
        this.signalled(item.channel);
        break;
      case 'frame':
        egress(nic, [item.frame], 'vf');
        break;
      case 'ejected':
        slotEjected(nic);
        break;
      case 'ingress':
        ingress(nic, item.frame);
        break;
      case 'action':
        this.act(item.action, item.ticket);
        break;
      case 'opened':
        this.opened(item.channel);
        break;
      case 'closed':
        if (item.dev === nic.vf) closeVpci(nic);
        else closeNetvsp(nic);
        break;
      case 'released':
        this.released(item.dev);
        break;
      case 'has-vf?':
      case 'service-revoke':
      case 'service-return':
        this.serve(item);
        break;
      default:
        this.due(item);
    }
  }

  packet(channel: OpenChannel, packet: ReadPacket): void {
    if (channel.dev === this.nic.vf) receiveVpci(this.nic, channel, packet);
    else receiveNetvsp(this.nic, channel, packet);
  }

  dropped({ frame, packet }: Extract<Delivery, { to: 'ring' }>): void {
    if (frame === undefined) return;
    takeBack(this.nic, packet, frame.section);
    this.nic.lose(frame.bytes, 'synthetic', 'ring full');
  }

  /** What comes after a span of time. An item of a session that has ended came too late. */
  private due(item: HostItem): void {
    const { nic } = this;
    switch (item.what) {
      case 'nvsp-due':
        if (nic.state.channel?.session === item.session) answerNvsp(nic, item.head, item.message);
        break;
      case 'rndis-due':
        if (nic.state.channel?.session === item.session) answerRndis(nic, item.message);
        break;
      case 'vpci-due':
        answerVpci(nic, item.session, item.head, item.message);
        break;
      case 'send-due':
        this.sendNow(item.dev, item.delivery);
        break;
      case 'path-due':
        finishSwitch(nic);
        break;
      case 'vf-offer-due':
        offerNow(nic);
        break;
      case 'eject-limit':
        ejectLimit(nic);
        break;
      case 'rescind-due':
        rescindVf(nic);
        break;
      case 'disassociate-due':
        disassociateDue(nic);
        break;
      default:
    }
  }

  /** A message that was held back goes, if its channel is still open as it was. */
  private sendNow(dev: string, delivery: Delivery): void {
    const { channel, vf } = this.nic.state;
    const open = dev === this.nic.vf ? ('channel' in vf.pci ? vf.pci.channel : undefined) : channel;
    if (delivery.to !== 'ring' || open?.session !== delivery.channel.session) return;
    carry(this.nic.worker, dev, 'goes', delivery);
  }

  private signalled(relid: number): void {
    const { channel, vf } = this.nic.state;
    if (channel?.relid === relid) this.nic.worker.read(channel);
    else if ('channel' in vf.pci && vf.pci.channel.relid === relid) this.nic.worker.read(vf.pci.channel);
  }

  private opened(channel: OpenChannel): void {
    if (channel.dev === this.nic.vf) openVpci(this.nic, channel);
    else if (this.nic.state.presence === 'offered') openNetvsp(this.nic, channel);
  }

  private released(dev: string): void {
    const { nic } = this;
    if (dev === nic.vf) {
      vfReleased(nic);
      return;
    }
    const again = nic.state.presence === 'returning';
    nic.state.presence = 'absent';
    if (again) this.offer();
  }

  private act(action: HostAction, ticket: number): void {
    const { nic } = this;
    const refused = this.tryAction(action);
    nic.worker.send({ to: 'ticket', ticket, ...(refused === undefined ? {} : { refused }) });
    if (refused === undefined) nic.worker.emit({ kind: 'host.action', action: action.do, dev: nic.name });
    else nic.refuse(action.do, refused);
  }

  private tryAction(action: HostAction): Refusal {
    const { nic } = this;
    switch (action.do) {
      case 'offer':
        return this.offer();
      case 'rescind':
        return this.rescind();
      case 'plug-vf':
        return plug(nic, action);
      case 'associate':
        return associate(nic, true);
      case 'disassociate':
        return associate(nic, false);
      case 'offer-vf':
        return offerAlone(nic, action);
      case 'revoke-vf':
        return revoke(nic, action.order);
      case 'vf-link':
        return this.vfLink(action.up);
      case 'nic-link':
        return this.nicLink(action.up);
      case 'send-frame':
        ingress(nic, strayFrame(nic.plan.mac, nic.index + 1, action.what));
        return undefined;
      case 'arm-fault':
        arm(nic.worker, action.fault);
        return undefined;
      case 'answer-again':
        return speakAgain(nic.worker, action.dev) ? undefined : `the host is not silent to ${action.dev}`;
      case 'update-firmware':
        return 'a NIC alone has no firmware update';
    }
  }

  private offer(): Refusal {
    const { nic } = this;
    const { presence } = nic.state;
    if (presence === 'offered' || presence === 'returning') return `${nic.name} is offered already`;
    // A relid that the guest has not released yet is in the way of the same instance (reference C.1).
    nic.state.presence = presence === 'leaving' ? 'returning' : 'offered';
    if (presence === 'leaving') return undefined;
    const owner = workerOf(nic.name);
    const offer = { dev: nic.name, owner, interfaceType: CLASS_GUIDS.nic, instance: nic.instances.nic };
    nic.worker.tell(VMBUS, { what: 'offer', offer });
    return undefined;
  }

  private rescind(): Refusal {
    const { nic } = this;
    if (nic.state.presence !== 'offered') return `${nic.name} is not offered`;
    // What the guest still asks before it has heard is still answered: the session ends when the channel is closed.
    withdraw(nic);
    nic.state.presence = 'leaving';
    nic.worker.tell(VMBUS, { what: 'rescind', dev: nic.name });
    return undefined;
  }

  private vfLink(up: boolean): Refusal {
    const { nic } = this;
    if (nic.fn === undefined) return `${nic.name} has no VF in the plan`;
    if (!nic.fn.alive) return `${nic.vf} is not there`;
    nic.worker.send({ to: 'link', fn: nic.vf, up, tell: { kind: 'vf.link', dev: nic.vf, up } });
    return undefined;
  }

  private nicLink(up: boolean): Refusal {
    const { nic } = this;
    if (nic.state.presence !== 'offered') return `${nic.name} is not offered`;
    if (nic.state.link === up) return `the link of ${nic.name} is ${up ? 'up' : 'down'} already`;
    nic.state.link = up;
    const status = up ? RNDIS_STATUS.mediaConnect : RNDIS_STATUS.mediaDisconnect;
    if (nic.state.nvsp.operational) sayRndis(nic, { name: 'indicateStatus', status, info: new Uint8Array(0) });
    return undefined;
  }

  private serve(item: Extract<HostItem, { what: 'has-vf?' | 'service-revoke' | 'service-return' }>): void {
    const { nic } = this;
    const { vf } = nic.state;
    switch (item.what) {
      case 'has-vf?':
        nic.worker.tell(SERVICING, { what: 'has-vf', nic: nic.name, has: vf.associated && vf.leaving === undefined });
        break;
      case 'service-revoke':
        this.revokeForService(item.order);
        break;
      case 'service-return':
        vf.reporting = true;
        // Somebody else was quicker, or is in the way: the limit of the round deals with it.
        this.note('service-return', plug(nic, item));
        break;
    }
  }

  private revokeForService(order: RevokeOrder): void {
    const { vf } = this.nic.state;
    vf.reporting = true;
    const refused = revoke(this.nic, order);
    this.note('service-revoke', refused);
    if (refused === undefined || vf.leaving !== undefined) return;
    // It has gone in the meantime.
    vf.reporting = false;
    this.nic.worker.tell(SERVICING, { what: 'vf-gone', nic: this.nic.name });
  }

  private note(what: string, refused: Refusal): void {
    if (refused !== undefined) this.nic.refuse(what, refused);
  }
}
